"""Every call and the journal: once what was acknowledged, never what was refused, and nothing that nobody asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tests.faults.checker.journal import Replayed
from tests.faults.checker.moves import ARRIVALS, CLOCK
from tests.faults.checker.written import Written
from tests.faults.record import Balance, Call

OPERATOR = "operator"


def unlike_the_journal(calls: Iterable[Call], journal: Replayed) -> Iterator[str]:
    """What was promised and is not there, is there twice, or otherwise; what is there and was not asked for."""
    asked_for = set()
    for call in calls:
        asked_for.add(call.request_id)
        entries = journal.by_request.get(call.request_id, [])
        if len(entries) > 1:
            yield f"double apply: {call} stands at {' and '.join(str(entry.place) for entry in entries)}"
        if call.answer is not None and not entries:
            yield f"lost: {call} was acknowledged at {call.answer.place}"
        if call.refused is not None and not call.doubtful and entries:
            yield f"refused and posted: {call} was refused with {call.refused.reason}, {entries[0].place} holds it"
        if call.asked.dry and entries:
            yield f"forged: {call} was only to be tried, {entries[0].place} holds it"
        if call.answer is None and call.refused is None and not call.doubtful and entries:
            yield f"posted after all: {call} was told that nothing had happened, {entries[0].place} holds it"
        for entry in entries:
            yield from _unasked(call, entry)
            yield from _untrue(call, entry)
        yield from _repeated(call)
    yield from _awarded_twice(journal)
    for entry in journal.entries.values():
        if entry.body["request_id"] not in asked_for:
            yield from _unclaimed(entry, journal)


def _unasked(call: Call, entry: Written) -> Iterator[str]:
    """An entry that is not what was asked for."""
    asked = call.asked
    pairs = (
        ("kind", entry.kind, asked.kind),
        ("partner", entry.partner, call.partner),
        ("wallet", entry.wallet, asked.wallet),
        ("points", entry.body["points"], asked.points),
        ("original", entry.original, asked.original),
        ("receipt", entry.receipt(), asked.receipt),
        ("unit", entry.unit, asked.unit),
        ("counterpart", entry.counterpart, asked.to),
    )
    for what, found, wanted in pairs:
        if wanted is not None and found != wanted:
            yield f"wrong {what}: {call} asked for {wanted}, {entry.place} says {found}"
    for issuer, points in asked.issuers.items():
        parts = [part for part in entry.body["postings"] if part["debit"] == f"ISSUED:{issuer}"]
        found = sum(part["points"] for part in parts if part["unit"] == entry.unit)
        if found != points:
            yield f"wrong points: {call} asked for {points} of {issuer}, {entry.place} has {found}"


def _untrue(call: Call, entry: Written) -> Iterator[str]:
    """An answer that the entry does not bear out."""
    if (answer := call.answer) is None:
        return
    if answer.place != entry.place:
        yield f"wrong place: {call} was acknowledged at {answer.place}, {entry.place} holds it"
    pairs = (
        ("hash", answer.hash or entry.hash, entry.hash),
        ("points", answer.points, entry.body["points"]),
        ("balance", answer.balance, Balance(**entry.body["balance"])),
    )
    for what, said, found in pairs:
        if said != found:
            yield f"wrong {what}: {call} was answered {said}, {entry.place} says {found}"


def _repeated(call: Call) -> Iterator[str]:
    if call.answer is None:
        return
    for repeat in call.repeats:
        if repeat.body != call.answer.body:
            yield f"changed answer: {call} was answered at {call.answer.place}, its repeat at {repeat.place}"
        elif not repeat.replay:
            yield f"changed answer: a repeat of {call} was not called a replay"


def _awarded_twice(journal: Replayed) -> Iterator[str]:
    seen: dict[tuple[str, str], Written] = {}
    for entry in journal.entries.values():
        receipt = entry.receipt()
        if entry.kind == "AWARD" and receipt:
            first = seen.setdefault((entry.partner, receipt), entry)
            if first is not entry:
                yield f"double apply: {first.place} and {entry.place} award one receipt"


def _unclaimed(entry: Written, journal: Replayed) -> Iterator[str]:
    """The clock's work, if it was due, and what arrives because it left elsewhere."""
    if entry.kind in ARRIVALS or (entry.kind == "MERGE_OUT" and entry.partner == OPERATOR):
        return  # see `transit`
    if entry.partner != OPERATOR or entry.kind not in CLOCK:
        yield f"forged: nobody asked for {entry.place}"
    at = entry.body["posted_at"]
    if entry.kind == "RELEASE" and at < journal.hold_until.get(str(entry.original), at + 1):
        yield f"forged: {entry.place} ends a hold before its time"
    if entry.kind == "PENDING_RELEASE":
        lots = {(entry.wallet, part["lot"]) for part in entry.body["postings"] if part["debit"] == "PENDING"}
        if any(at < journal.pending_until[lot] for lot in lots):
            yield f"forged: {entry.place} ends a waiting time too early"
