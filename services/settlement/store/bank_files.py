"""Importing a file of the bank: stored, answered for, matched, and every state that follows, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, TypeAlias

from sqlalchemy import Connection

from services.settlement.domain.bank import ReturnNotice, StatusReport, WrongBatch
from services.settlement.formats.bank_file import BankFile
from services.settlement.store import answers, breaks, clearing, matching, messages
from services.settlement.store.messages import Imported, subject_of
from shared.log import get_logger

log = get_logger()

Follow: TypeAlias = Callable[[Connection, int, datetime], None]
"""What a batch does when one of its payments has moved: `batches.follow`."""


class Result(NamedTuple):
    """What an import did. Of a file that was there before nothing was done again."""

    imported: Imported
    matched: int
    proposed: int
    broken: int


def import_file(
    connection: Connection,
    content: bytes,
    name: str,
    file: BankFile,
    by: str,
    at: datetime,
    follow: Follow,
    only: int | None = None,
) -> Result:
    """`only`: the batch whose payments alone it may move.

    Raises UnknownAccount, NotAClearingAccount, StatementGap, BalanceBroken, AmountInvalid, WrongBatch.
    """
    imported = messages.take_in(connection, content, name, file.paper, file.messages, by, at)
    if imported.before:
        log.info("bank file was there before", name=subject_of(imported.sha256), reason="DUPLICATE_CONTENT")
        return Result(imported, 0, 0, 0)
    source = subject_of(imported.sha256)
    breaks.resolve_about(connection, [source], by, at, imported.sha256)  # it was refused before: out of order
    batches: set[int] = set()
    for message in file.messages:
        if isinstance(message, StatusReport):
            batches.update(answers.take_in_status(connection, message, source, by, at))
        elif isinstance(message, ReturnNotice):
            batches.update(answers.take_in_returns(connection, message, source, by, at))
    outcome = matching.run(connection, by, at)
    concerned = sorted(batches | set(outcome.batches))
    others = [f"batches/{batch}" for batch in concerned if batch != only]
    if only is not None and others:
        raise WrongBatch(batch=f"batches/{only}", belongs_to=", ".join(others))
    clearing.look(connection, by, at)
    for batch in concerned:
        follow(connection, batch, at)
    return Result(imported, outcome.matched, outcome.proposed, outcome.broken)
