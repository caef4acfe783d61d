"""Windows settled on paper: the domain's rules over a journal, with nothing stored in between."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.settlement.domain.contract import PriceBook
from services.settlement.domain.journal import read
from services.settlement.domain.lines import LineKey, Rollup, key_of
from services.settlement.domain.obligations import Obligation, Pricing, Suspended
from services.settlement.domain.statement import EntryLeaf
from services.settlement.domain.window import Edge, Window, WindowState
from services.settlement.store.books import Books, Signer, made
from shared.credentials.keys import key_id
from tests.settlement.paper import Journal, day

STATEMENT_KEY = Ed25519PrivateKey.from_private_bytes(b"operator".ljust(32))
PUBLIC_KEY = STATEMENT_KEY.public_key().public_bytes_raw()
SIGNER = Signer(key_id(STATEMENT_KEY.public_key()), STATEMENT_KEY.sign)


def settled(paper: Journal, prices: PriceBook, edges: Sequence[Edge]) -> list[Books]:
    """The books of the windows that end at these edges."""
    priced = list(_priced(paper, prices))
    before: dict[LineKey, int] = {}
    found, opening = [], None
    for number, edge in enumerate(edges, start=1):
        from_seqs = opening.seqs if opening else (0,) * len(edge.seqs)
        opened_at = opening.created_at if opening else day(-1)
        window = Window(number, WindowState.CLOSING, opened_at, None, from_seqs, edge)
        rollups, leaves = list[Rollup](), dict[LineKey, list[EntryLeaf]]()
        for leaf, occurred_at, one in priced:
            if from_seqs[leaf.bucket] < leaf.seq <= edge.seqs[leaf.bucket]:
                late = window.is_late(occurred_at)
                rollups.append(Rollup(one.key.leg, one.key.version, one.points, 1, int(late)))
                leaves.setdefault(key_of(one.key.leg, one.key.version, prices), []).append(leaf)
        books = made(window, opening, edge, rollups, before, leaves, prices, SIGNER)
        for line, _ in books.lines:
            before[line.key] = line.points_after
        found.append(books)
        opening = edge
    return found


def _priced(paper: Journal, prices: PriceBook) -> list[tuple[EntryLeaf, int, Obligation]]:
    found = []
    for entries in paper.buckets:
        pricing = Pricing(prices)
        for feed in entries:
            entry = read(feed)
            outcome = pricing.obligations(entry)
            assert not isinstance(outcome, Suspended), outcome
            for one in outcome:
                found.append((EntryLeaf(feed.bucket, feed.seq, one.points, feed.hash), entry.occurred_at, one))
    return found
