"""A file of the bank that is larger than a message: by RPC in pieces and by command, taken whole, once, or not at all.

How long a large day takes is in `reconciling/test_large_statement.py`; this file is large by a comment at its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest
from coalition.settlement.v1 import reconciliation_pb2 as pb

from services.sandbox.clients import Calls
from tests.settlement.accounts import german
from tests.settlement.api.desk import SECONDS, fresh_id, refused, replayed
from tests.settlement.api.test_payments import addition, verification
from tests.settlement.reconciling.papers import Said, announcement, statement
from tests.support.finance import NEEDS_A_PERSON, settle
from tests.support.platform import RunningPlatform

LINES = 40
MESSAGE_BYTES = 4 * 1024 * 1024
DAY = date(2026, 3, 2)


@pytest.fixture(scope="module")
def iban(platform: RunningPlatform) -> str:
    """A clearing account of this file's own, in a currency that no other test pays in."""
    number = german(8802)
    calls: Calls = platform.operator
    entered = calls.bank_accounts.AddBankAccount(
        addition("operator", number, clearing=True, currency="RON"), timeout=SECONDS
    )
    platform.approve(entered.proposal)
    platform.colleague.bank_accounts.VerifyBankAccount(verification(entered.name), timeout=SECONDS)
    first = statement(number, DAY, [], currency="RON")
    calls.reconciliation.UploadBankFile(parts(first, header(first)), timeout=SECONDS)
    return number


@pytest.fixture(scope="module")
def large(iban: str) -> bytes:
    """A statement that is larger than a message; none of its lines is a payment of ours."""
    lines = [Said(100 + at % 900, reference=f"RF{at:020}", currency="RON") for at in range(LINES)]
    content = statement(iban, DAY, lines, number=2, currency="RON")
    return content + b"<!--" + b"x" * MESSAGE_BYTES + b"-->"


def header(content: bytes, **changed: object) -> pb.UploadBankFileRequest:
    facts = {"request_id": fresh_id(), "file_name": "day.xml", "size_bytes": len(content)}
    facts["sha256"] = sha256(content).digest()
    return pb.UploadBankFileRequest(header=pb.BankFileHeader(**{**facts, **changed}))  # type: ignore[arg-type]


def parts(
    content: bytes, first: pb.UploadBankFileRequest, size: int = 1024 * 1024
) -> Iterator[pb.UploadBankFileRequest]:
    yield first
    for at in range(0, len(content), size):
        yield pb.UploadBankFileRequest(piece=content[at : at + size])


def test_a_file_larger_than_a_message_is_taken_by_command_once(
    platform: RunningPlatform, large: bytes, tmp_path: Path
) -> None:
    assert len(large) > MESSAGE_BYTES
    file = tmp_path / "day.xml"
    file.write_bytes(large)
    taken = settle(platform.home, "bank", "import", str(file), code=NEEDS_A_PERSON)
    assert (taken["paper"], taken["matched"], taken["proposed"], taken["broken"]) == ("camt.053", 0, 0, LINES)
    assert taken["next"] == "coalition settle breaks"
    again = settle(platform.home, "bank", "import", str(file), code=NEEDS_A_PERSON)
    assert again == taken
    stub = platform.operator.reconciliation
    other = stub.UploadBankFile(parts(large, header(large)), timeout=SECONDS)
    assert other.duplicate, "the same content under another request id changes nothing"


def test_an_upload_is_the_same_import_as_a_message(platform: RunningPlatform, iban: str) -> None:
    stub = platform.operator.reconciliation
    content = statement(iban, DAY, [], number=77, opening=5, currency="RON")
    first = header(content)
    assert refused(lambda: stub.UploadBankFile(parts(content, first), timeout=SECONDS))[1] == "STATEMENT_GAP"
    small = b"no bank ever sent this"
    unread = refused(lambda: stub.UploadBankFile(parts(small, header(small)), timeout=SECONDS))
    assert unread == ("INVALID_ARGUMENT", "BANK_FILE_UNREADABLE")


def test_the_same_request_id_gets_the_same_answer_by_both_ways(platform: RunningPlatform, iban: str) -> None:
    stub = platform.operator.reconciliation
    content = announcement(iban, DAY, [], number=int(fresh_id()[:6], 16))
    first = header(content)
    by_pieces = stub.UploadBankFile(parts(content, first, size=100), timeout=SECONDS)
    whole = pb.ImportBankFileRequest(request_id=first.header.request_id, file_name="day.xml", content=content)
    by_message, call = stub.ImportBankFile.with_call(whole, timeout=SECONDS)
    assert (by_message, replayed(call)) == (by_pieces, True)


def test_what_is_not_what_was_announced_is_not_taken(platform: RunningPlatform) -> None:
    stub, content = platform.operator.reconciliation, b"x" * 5_000
    short = ("INVALID_ARGUMENT", "BANK_FILE_CUT_SHORT")
    wrong = [
        parts(content, header(content, size_bytes=4_999)),
        parts(content, header(content, size_bytes=5_001)),
        parts(content, header(content, sha256=bytes(32))),
        iter([pb.UploadBankFileRequest(piece=content)]),
        iter([header(content), header(content)]),
        iter([]),
    ]
    assert [refused(lambda one=one: stub.UploadBankFile(one, timeout=SECONDS)) for one in wrong] == [short] * len(wrong)  # type: ignore[misc]
    too_large = header(content, size_bytes=64 * 1024 * 1024 + 1)
    assert refused(lambda: stub.UploadBankFile(iter([too_large]), timeout=SECONDS))[0] == "INVALID_ARGUMENT"
