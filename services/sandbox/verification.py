"""The audit: the ledger replays its journal, settlement prices it again, and the first difference ends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import grpc
from coalition.ledger.v1 import ledger_pb2
from coalition.settlement.v1 import settlement_pb2

from services.sandbox.clients import Calls
from shared.rpc.remote import remote_refusal

_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found: nothing, or the first thing that does not agree, and how much was looked at."""

    difference: str = ""
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def verified(self) -> bool:
        """Whether all agrees."""
        return not self.difference


Progress = Callable[[str, int, int], None]
"""Told what is being looked at, how much of it is done and how much there is."""


def verify(operator: Calls, progress: Progress) -> Verdict:
    """The journal first: books that follow from a wrong journal prove nothing."""
    try:
        journal = _journal(operator, progress)
        if not journal.verified:
            return journal
        books = _books(operator, progress)
    except grpc.RpcError as error:
        raise remote_refusal(error) from error
    return Verdict(books.difference, {**journal.counts, **books.counts})


def _journal(operator: Calls, progress: Progress) -> Verdict:
    for event in operator.ledger.VerifyJournal(ledger_pb2.VerifyJournalRequest(), timeout=_SECONDS):
        match event.WhichOneof("event"):
            case "progress":
                progress("journal", event.progress.entries, event.progress.total)
            case "difference":
                found = event.difference
                return Verdict(f"{found.subject} {found.name}: {found.detail}")
            case "summary":
                seen = event.summary
                progress("journal", seen.entries, seen.entries)
                counts = {"entries": seen.entries, "wallets": seen.wallets, "lots": seen.lots}
                return Verdict(counts=counts | {"checkpoints": seen.checkpoints})
    return Verdict("journal: the ledger ended the verification without a result")


def _books(operator: Calls, progress: Progress) -> Verdict:
    for event in operator.windows.VerifyBooks(settlement_pb2.VerifyBooksRequest(), timeout=_SECONDS):
        match event.WhichOneof("event"):
            case "progress":
                progress("books", event.progress.entries, event.progress.total)
            case "difference":
                found = event.difference
                return Verdict(f"{found.subject} {found.name}: {found.detail}")
            case "summary":
                seen = event.summary
                progress("books", seen.entries, seen.entries)
                return Verdict(counts={"windows": seen.windows, "statements": seen.statements})
    return Verdict("books: settlement ended the verification without a result")
