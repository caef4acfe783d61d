"""Windows settled on paper: the domain's rules over a journal, with nothing stored in between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.settlement.domain.bill import bill
from services.settlement.domain.contract import PriceBook
from services.settlement.domain.documents import Signer, statements
from services.settlement.domain.keys import Keys
from services.settlement.domain.lines import Line, LineKey, Rollup, line_of
from services.settlement.domain.nets import Net, nets_of
from services.settlement.domain.obligations import Obligation, Suspended
from services.settlement.domain.prepaid import Span
from services.settlement.domain.pricing import Pricing
from services.settlement.domain.statement import EntryLeaf, entries_root, statements_root
from services.settlement.domain.window import Edge, Window, WindowState
from services.settlement.formats.entries import read
from services.settlement.store.books import participants
from shared.credentials.keys import key_id
from tests.settlement.paper import Journal, day

STATEMENT_KEY = Ed25519PrivateKey.from_private_bytes(b"operator".ljust(32))
PUBLIC_KEY = STATEMENT_KEY.public_key().public_bytes_raw()
SIGNER = Signer(key_id(STATEMENT_KEY.public_key()), STATEMENT_KEY.sign)


@dataclass(frozen=True)
class Books:
    """All that a window books: its lines with the roots over their entries, nets, statements by partner."""

    lines: list[tuple[Line, bytes]]
    nets: list[Net]
    statements: dict[str, bytes]

    @property
    def statements_root(self) -> bytes:
        return statements_root(self.statements[partner] for partner in sorted(self.statements))


class Priced(NamedTuple):
    """An obligation of an entry."""

    leaf: EntryLeaf
    occurred_at: int
    obligation: Obligation

    def rollup(self, *, late: bool) -> Rollup:
        key = self.obligation.key
        counts = (self.obligation.points, 1, int(late))
        return Rollup(key.leg, key.version, *counts, key.counterparty, key.rate_class, key.month)


def settled(paper: Journal, prices: PriceBook, edges: Sequence[Edge]) -> list[Books]:
    """The books of the windows that end at these edges."""
    entries = list(priced(paper, prices))
    before: list[Rollup] = []
    found, opening = [], None
    for number, edge in enumerate(edges, start=1):
        from_seqs = opening.seqs if opening else (0,) * len(edge.seqs)
        opened_at = opening.created_at if opening else day(-1)
        window = Window(number, WindowState.CLOSING, opened_at, None, from_seqs, edge)
        rollups, leaves = list[Rollup](), dict[LineKey, list[EntryLeaf]]()
        for one in entries:
            if from_seqs[one.leaf.bucket] < one.leaf.seq <= edge.seqs[one.leaf.bucket]:
                rollup = one.rollup(late=window.is_late(one.occurred_at))
                rollups.append(rollup)
                leaves.setdefault(line_of(rollup, prices), []).append(one.leaf)
        lines = bill(rollups, before, Span(opening.created_at if opening else None, edge.created_at), prices)
        partners = participants(edge.created_at, prices)
        nets, roots = nets_of(lines, partners), {key: entries_root(own) for key, own in leaves.items()}
        named = [partner for partner, _ in partners]
        documents = dict(statements(window, opening, edge, lines, nets, named, roots, SIGNER))
        found.append(Books([(line, roots.get(line.key, entries_root([]))) for line in lines], nets, documents))
        before += rollups
        opening = edge
    return found


def priced(paper: Journal, prices: PriceBook) -> Iterator[Priced]:
    """What each entry makes, bucket by bucket."""
    for feed_entries in paper.buckets:
        pricing = Pricing(Keys(prices))
        for feed in feed_entries:
            entry = read(feed)
            outcome = pricing.obligations(entry)
            assert not isinstance(outcome, Suspended), outcome
            for one in outcome:
                yield Priced(EntryLeaf(feed.bucket, feed.seq, one.points, feed.hash), entry.occurred_at, one)
