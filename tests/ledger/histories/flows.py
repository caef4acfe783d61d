"""What came and went, told from the journal alone: the terms of E23, and what reversals could not find."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from services.ledger.domain.entry import AccountKind, Entry, Posting

Flow = tuple[str, str, str]

_FROM_OUTSIDE = {
    AccountKind.ISSUED: "awards",
    AccountKind.REDEEMED: "refunds",
    AccountKind.ADJUSTED: "given",
}
_TO_OUTSIDE = {
    AccountKind.ISSUED: "reversals",
    AccountKind.REDEEMED: "captures",
    AccountKind.EXPIRED: "expiries",
    AccountKind.ADJUSTED: "taken",
}
_NOT_FOUND = {AccountKind.WITHHELD: "withheld", AccountKind.WRITTEN_OFF: "written off"}


def flows_of(entries: Iterable[Entry]) -> dict[Flow, int]:
    """By flow, unit and issuer."""
    flows: Counter[Flow] = Counter()
    for entry in entries:
        for posting in entry.postings:
            for flow, issuer in _of(posting):
                flows[flow, posting.unit.name, issuer] += posting.points
    return dict(flows)


def _of(posting: Posting) -> Iterator[tuple[str, str]]:
    debit, credit = posting.debit, posting.credit
    if debit.kind in _NOT_FOUND:
        yield _NOT_FOUND[debit.kind], debit.party
    elif AccountKind.IN_TRANSIT in (debit.kind, credit.kind):
        return
    elif credit.kind is AccountKind.OWED:
        yield "repaid with", posting.issuer
        yield "repaid", credit.party
    elif debit.kind is AccountKind.OWED:
        yield _TO_OUTSIDE[credit.kind], debit.party
    elif debit.kind in _FROM_OUTSIDE:
        yield _FROM_OUTSIDE[debit.kind], posting.issuer
    elif credit.kind in _TO_OUTSIDE:
        yield _TO_OUTSIDE[credit.kind], posting.issuer
