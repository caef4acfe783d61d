"""The same journal closed in windows of other lengths: what each partner is billed, by cut.

python -m tests.settlement.cuts --days 31      a month of the demo's real purchases: daily, weekly and once

It plays the demo on a platform of its own, reads the journal as settlement does, and takes it in anew for each cut:
chains checked, entries priced, windows closed and signed by the code of the service.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from hashlib import sha256
from itertools import groupby
from json import loads
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from services.sandbox.demo import requests
from services.sandbox.demo.departments import PARTNERS
from services.sandbox.demo.hours import closing_at, opening
from services.sandbox.demo.office import Money
from services.sandbox.demo.plan import Slice
from services.sandbox.demo.run import Demo
from services.sandbox.home import Home
from services.sandbox.keys import keys_of
from services.sandbox.platform import Platform, down, running_platform
from services.settlement.api.journal import Journal
from services.settlement.domain.journal import FeedEntry
from services.settlement.domain.window import Edge
from services.settlement.store.ingest import Lane
from shared.credentials.keys import load_public
from shared.instants import micros
from tests.settlement.paper import terms
from tests.settlement.store.office import Office
from tests.support.databases import Databases, databases_in

Bills = Mapping[str, Money]
CUTS = {"daily": 1, "weekly": 7, "once": 10_000}
"""Days of a window."""
_PAGE = 5_000


class Cut(NamedTuple):
    """What a way of cutting came to."""

    windows: int
    late_entries: int
    bills: Bills


def journal_of(platform: Platform) -> list[FeedEntry]:
    """All entries of a ledger, by bucket and seq, as settlement reads them."""
    journal = Journal(platform.operator.channel("ledger"), load_public(keys_of(platform.home).checkpoint_public))
    cursor = dict.fromkeys(range(journal.bucket_count()), 0)
    found: list[FeedEntry] = []
    while page := journal.page(cursor, _PAGE).entries:
        found += page
        cursor |= {entry.bucket: entry.seq for entry in page}
    return sorted(found, key=lambda entry: (entry.bucket, entry.seq))


def cut(databases: Databases, journal: Sequence[FeedEntry], days: Sequence[date], length: int) -> Cut:
    """Every window has so many of the days, the last one the rest."""
    office = Office(databases, buckets=journal[-1].bucket + 1)
    try:
        for partner in PARTNERS:
            since = micros(opening(days[0]))
            agreed = terms(requests.BILLING_RATE, requests.REIMBURSEMENT_RATE, since=since, currency=requests.CURRENCY)
            office.publish(partner, agreed, since)
        edges = list(_edges(journal, [*days[length - 1 : -1 : length], days[-1]]))
        lane, seen = Lane(), (0,) * (journal[-1].bucket + 1)
        for number, edge in enumerate(edges, start=1):
            page = [entry for entry in journal if seen[entry.bucket] < entry.seq <= edge.seqs[entry.bucket]]
            for start in range(0, len(page), _PAGE):
                office.take_in(page[start : start + _PAGE], lane)
            if waits := office.close(number, edge, edge.created_at):
                raise RuntimeError(f"windows/{number} waits for {waits.waits_for}: {waits.detail}")
            seen = edge.seqs
        if seen != tuple(len(list(group)) for _, group in groupby(journal, key=lambda entry: entry.bucket)):
            raise RuntimeError("some entries are in no window")
        late = sum(office.counts(number)[1] for number in range(1, len(edges) + 1))
        return Cut(len(edges), late, _bills(office))
    finally:
        office.leave()


def _edges(journal: Sequence[FeedEntry], ends: Sequence[date]) -> Iterator[Edge]:
    """Checkpoints as they would have been taken where these days are settled: what was posted until then."""
    posted = [(entry, int(loads(entry.canonical)["posted_at"])) for entry in journal]
    buckets = journal[-1].bucket + 1
    for number, day in enumerate(ends, start=1):
        at = micros(closing_at(day))
        seqs, hashes = [0] * buckets, [bytes(32)] * buckets
        for entry, posted_at in posted:
            if posted_at <= at:
                seqs[entry.bucket], hashes[entry.bucket] = entry.seq, entry.hash
        root = sha256(b"".join(hashes)).digest()  # of no importance here: who checks it is the journal's reader
        yield Edge(number, tuple(seqs), tuple(hashes), root, at, b"signature", "key")


def _bills(office: Office) -> Bills:
    rows = office.rows("""
        SELECT partner, sum(billed_minor)::bigint, sum(reimbursed_minor)::bigint, sum(net_minor)::bigint
        FROM settlement.nets GROUP BY partner
    """)
    return {str(partner): Money(*minor) for partner, *minor in rows}  # type: ignore[arg-type]  # bigint


def all_cuts(databases: Databases, platform: Platform, days: Sequence[date]) -> dict[str, Cut]:
    """Daily, weekly and once."""
    journal = journal_of(platform)
    return {name: cut(databases, journal, days, length) for name, length in CUTS.items()}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.settlement.cuts", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--days", type=int, default=31, help="of the demo's purchases, from January 1 on")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="co-") as folder:
        home, began = Home(Path(folder) / "home"), time.monotonic()
        try:
            played = Demo(home, Slice(days=given.days), Console(stderr=True)).play(fresh=False)
            print(f"the demo: {played.baskets:,} baskets, {time.monotonic() - began:,.0f} s", file=sys.stderr)
            first = date(2017, 1, 1)
            days = [first + timedelta(days=number) for number in range(given.days + 1)]
            with databases_in(Path(folder) / "databases", lambda text: print(text, file=sys.stderr)) as databases:
                cuts = all_cuts(databases, running_platform(home), days)
        finally:
            down(home, say=lambda text: print(text, file=sys.stderr))
    return _told(cuts, played.money)


def _told(cuts: Mapping[str, Cut], service: Bills) -> int:
    """Partner by partner, in cents. 1 when two cuts differ, or one from the service's own windows."""
    names = sorted(cuts["once"].bills)
    print(f"{'net, in cents':20}{'the service':>14}" + "".join(f"{name:>14}" for name in cuts))
    for name in names:
        nets = [service[name].net, *(found.bills[name].net for found in cuts.values())]
        print(f"{name:20}" + "".join(f"{net:>14,}" for net in nets))
    for name, found in cuts.items():
        print(f"{name}: {found.windows} windows, {found.late_entries} late entries")
    same = all(found.bills == service for found in cuts.values())
    print("the same bill for everybody" if same else "NOT the same bill")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
