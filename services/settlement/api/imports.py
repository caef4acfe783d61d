"""The one import of a file of the bank, whichever way it came."""

from __future__ import annotations

from hashlib import sha256

import grpc
from coalition.settlement.v1 import reconciliation_pb2 as pb
from sqlalchemy import Connection

from services.settlement.api.once import Once
from services.settlement.domain.bank import BalanceBroken, StatementGap
from services.settlement.formats.bank_file import bank_file
from services.settlement.store import breaks, lines_of_bank
from services.settlement.store.bank_files import Follow, import_file
from services.settlement.store.messages import broken_by
from shared.canonical import Canonical
from shared.clock import Clock
from shared.db.sessions import Sessions
from shared.rpc.caller import caller
from shared.rpc.deadline import time_left


class Import:
    """Takes a file whole, once; a statement that does not follow leaves a break for a person."""

    def __init__(self, sessions: Sessions, clock: Clock, follow: Follow) -> None:
        self._sessions = sessions
        self._clock = clock
        self._follow = follow
        self._once = Once(sessions, clock)

    def __call__(
        self, asked: pb.ImportBankFileRequest | pb.BankFileHeader, content: bytes, context: grpc.ServicerContext
    ) -> pb.BankFile:
        """Raises BankFileUnreadable, StatementGap, BalanceBroken and what `import_file` refuses."""
        by, at, digest = caller(context).principal, self._clock.now(), sha256(content).digest()
        file = bank_file(content)
        only = int(asked.batch.removeprefix("batches/")) if asked.batch else None
        duplicate = False

        def take_in(connection: Connection) -> str:
            nonlocal duplicate
            result = import_file(connection, content, asked.file_name, file, by, at, self._follow, only)
            duplicate = result.imported.before
            return f"bankFiles/{digest.hex()}"

        # Without a batch as ever: a request that was answered by an earlier release must be known again.
        meaning: Canonical = [digest.hex(), asked.batch] if asked.batch else digest.hex()
        try:
            name = self._once("ImportBankFile", asked.request_id, meaning, context, take_in)
        except (StatementGap, BalanceBroken) as refusal:
            with self._sessions.writing(time_left(context)) as connection:
                breaks.open_all(connection, [broken_by(refusal, content)], by, at)
            raise
        with self._sessions.reading(time_left(context)) as connection:
            lines = lines_of_bank.counts(connection, digest)
        return pb.BankFile(
            name=name,
            paper=file.paper.value,
            duplicate=duplicate,
            matched_count=lines.get("MATCHED", 0),
            proposed_count=lines.get("PROPOSED", 0),
            broken_count=lines.get("BROKEN", 0),
        )
