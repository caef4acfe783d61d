"""The worked examples of settlement.json, settled window by window on the rules alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from services.settlement.domain.bill import bill
from services.settlement.domain.contract import ContractVersion, PriceBook, VersionId
from services.settlement.domain.journal import Entry, FeedEntry
from services.settlement.domain.keys import Keys
from services.settlement.domain.lines import Line, Rollup
from services.settlement.domain.nets import nets_of
from services.settlement.domain.obligations import Obligation, Suspended
from services.settlement.domain.prepaid import Span
from services.settlement.domain.pricing import Pricing
from services.settlement.domain.terms import NOTHING, Rounding, Route, Terms, Timing
from services.settlement.domain.window import Edge, Window, WindowState
from services.settlement.formats.entries import read
from shared.canonical import Canonical
from shared.instants import micros
from shared.money import Rate, decimal_text
from tests.settlement.paper import Journal
from tests.support.vectors import Example, example

ALL = ["G1", "G2", "S1", "S2", "S3", "S4", "S5", "S6"]
ROUNDINGS = {"CUMULATIVE": "CUMULATIVE", "LARGEST_REMAINDER_PER_WINDOW": "LARGEST_REMAINDER"}
KINDS = {"capture": "REDEMPTION", "refund": "REFUND"}


class Counted(NamedTuple):
    """An entry with its place and what it made."""

    entry: Entry
    obligations: tuple[Obligation, ...]

    @property
    def place(self) -> str:
        return f"{self.entry.bucket}:{self.entry.seq}"


def vector(id_: str) -> Example:
    return example(id_, "settlement.json")


def at(text: str) -> int:
    return micros(datetime.fromisoformat(text))


def prices(given: dict[str, Any], rounding: str = "") -> PriceBook:
    """The contracts of a vector, under the short names that it gives its partners."""
    return PriceBook(
        ContractVersion(
            VersionId(one["partner"], int(one["id"].partition("/")[2])),
            Terms(
                at(one["effective_from"]),
                Timing(given["timing"]),
                NOTHING,
                NOTHING,
                given["currency"],
                Rounding(f"{ROUNDINGS[rounding or given['rounding']]}_{given['rounding_mode']}"),
                rate_at_redemption=Rate.of(one["rate_at_redemption"]),
                route=Route(given["route"]),
            ),
        )
        for one in given["contract_versions"]
    )


def counted(example_: Example, book: PriceBook) -> tuple[list[Counted], PriceBook]:
    """All entries, written as the ledger would and priced. Partners' names are longer in a journal."""
    paper, wrote = Journal(2), dict[tuple[int, int], dict[str, Any]]()
    for one in example_["entries"]:
        for nth in range(one.get("repeat", 1)):
            original = wrote.get((one["original"]["bucket"], one["original"]["seq"])) if "original" in one else None
            issuer, acceptor = (original or one)["issuer"].lower() * 2, (original or one)["acceptor"].lower() * 2
            sides = ("AVAILABLE", f"REDEEMED:{acceptor}") if original is None else (f"REDEEMED:{acceptor}", "AVAILABLE")
            seq = paper.write(
                KINDS[one["kind"]],
                [(*sides, one["points"])],
                bucket=one["bucket"],
                at=at(one["occurred_at"]),
                original=one["original"]["seq"] if original else None,
                issuer=issuer,
            ).seq
            assert seq == one["seq"] + nth
            wrote[one["bucket"], seq] = one
    named = PriceBook(
        ContractVersion(VersionId(id_.partner.lower() * 2, id_.number), version.terms)
        for id_, version in book.versions.items()
    )
    return [one for bucket in paper.buckets for one in _priced(bucket, named)], named


def _priced(bucket: list[FeedEntry], named: PriceBook) -> Iterator[Counted]:
    pricing = Pricing(Keys(named))
    for feed in bucket:
        entry = read(feed)
        outcome = pricing.obligations(entry)
        assert not isinstance(outcome, Suspended), outcome
        yield Counted(entry, outcome)


class Settled(NamedTuple):
    """A window of a vector. `members` and `late` name entries by bucket and seq.

    `meant_for` are the windows whose business days the late ones happened on.
    """

    name: str
    lines: list[Line]
    members: list[str]
    late: list[str]
    meant_for: list[str]


def settled(id_: str, rounding: str = "", windows: list[dict[str, Any]] | None = None) -> list[Settled]:
    """The windows of a vector, settled."""
    example_ = vector(id_)
    given = example_["given"]
    entries, book = counted(example_, prices(given, rounding))
    cut_offs = given.get("business_cut_offs", {})
    before, found, opened_at = list[Rollup](), list[Settled](), 0
    for number, one in enumerate(windows or given["windows"], start=1):
        from_, to = ({int(bucket): seq for bucket, seq in one[side].items()} for side in ("from", "to"))
        ends = at(cut_offs[one["window"]]) if one["window"] in cut_offs else 0
        edge = Edge(number, tuple(to.values()), (), b"", ends, b"", "")
        window = Window(number, WindowState.CLOSING, opened_at, None, tuple(from_.values()), edge)
        members = [c for c in entries if from_[c.entry.bucket] < c.entry.seq <= to[c.entry.bucket]]
        rollups = [
            Rollup(o.key.leg, o.key.version, o.points, 1, int(window.is_late(c.entry.occurred_at)), o.key.counterparty)
            for c in members
            for o in c.obligations
        ]
        lines = bill(rollups, before, Span(None, 0), book)
        late = [c for c in members if window.is_late(c.entry.occurred_at)]
        meant_for = [next(name for name, end in cut_offs.items() if c.entry.occurred_at < at(end)) for c in late]
        found.append(Settled(one["window"], lines, [c.place for c in members], [c.place for c in late], meant_for))
        before += rollups
        opened_at = ends
    return found


def short(partner: str) -> str:
    return partner[0].upper()


def nets(lines: list[Line], partners: list[str]) -> dict[str, int]:
    sums = dict.fromkeys(partners, 0)
    for net in nets_of(lines, []):
        if net.partner != "operator":
            sums[short(net.partner)] = net.net_minor
    return sums


def pairs(lines: list[Line]) -> dict[str, int]:
    """What was booked between each two, in minor units."""
    sums: dict[str, int] = {}
    for line in lines:
        pair = f"{short(line.key.debtor)}>{short(line.key.creditor)}"
        sums[pair] = sums.get(pair, 0) + line.booked_minor
    return sums


def shown(line: Line, versions: list[dict[str, Any]]) -> dict[str, Any]:
    """A line as a vector shows it: there each version has a rate of its own."""
    key = line.key
    version = next(
        one["id"]
        for one in versions
        if (one["partner"], Rate.of(one["rate_at_redemption"])) == (short(key.partner), key.rate)
    )
    return {
        "debtor": short(key.debtor),
        "creditor": short(key.creditor),
        "leg": key.leg.value,
        "contract_version": version,
        "points": line.points,
        "items": line.items,
        "exact": decimal_text(line.exact),
        "booked_minor": line.booked_minor,
    }


def in_order(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(lines, key=lambda one: (one["debtor"], one["creditor"], one["contract_version"]))


def document(window: Settled, partners: list[str]) -> dict[str, Canonical]:
    """The small form of the vectors."""
    pairs: dict[tuple[str, str], list[int]] = {}
    for line in window.lines:
        sums = pairs.setdefault((short(line.key.debtor), short(line.key.creditor)), [0, 0])
        sums[0] += line.points
        sums[1] += line.booked_minor
    named = {name for pair in pairs for name in pair}
    found = {name: net for name, net in nets(window.lines, partners).items() if name in named}
    return {
        "ccy": "EUR",
        "lines": [[*pair, *pairs[pair]] for pair in sorted(pairs)],
        "net": found,
        "window": window.name,
    }
