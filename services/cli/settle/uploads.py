"""A file of the bank, sent in pieces, with how far it is on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from hashlib import sha256

from coalition.settlement.v1 import reconciliation_pb2 as pb
from coalition.settlement.v1.reconciliation_pb2_grpc import ReconciliationServiceStub

from services.cli.settle.patience import awaited
from services.cli.settle.rehearsing import only_validated
from services.cli.settle.ways import request_id

_SECONDS = 1800.0
_PIECE_BYTES = 512 * 1024


def uploaded(bank: ReconciliationServiceStub, file_name: str, content: bytes, batch: str = "") -> pb.BankFile:
    """What the bank's file became. Raises what the service refuses."""
    digest = sha256(content).digest()
    header = pb.BankFileHeader(
        request_id=request_id("import", digest.hex(), batch),
        file_name=file_name,
        size_bytes=len(content),
        sha256=digest,
        batch=batch,
    )
    only_validated(header)  # here, for gRPC asks for the parts on a thread of its own
    sent = 0

    def parts() -> Iterator[pb.UploadBankFileRequest]:
        nonlocal sent
        yield pb.UploadBankFileRequest(header=header)
        for at in range(0, len(content), _PIECE_BYTES):
            piece = content[at : at + _PIECE_BYTES]
            yield pb.UploadBankFileRequest(piece=piece)
            sent += len(piece)

    def told(seconds: float) -> str:
        reading = f", read and matched for {seconds:,.0f} s" if sent == len(content) else ""
        return f"{sent:,} of {len(content):,} bytes sent{reading}"

    taken = awaited(bank.UploadBankFile.future(parts(), timeout=_SECONDS), told)
    print(f"{len(content):,} of {len(content):,} bytes, done", file=sys.stderr)
    return taken
