"""A partner's statement for a window: canonical JSON that can be checked without us, and its rendering as CSV.

Signed are the canonical bytes of the document without its `signature`. Its lines are the leaves of a tree
(`lines_root`); each line carries the root of a tree over the journal entries behind it, which a partner can build
again from its own entries. Both checkpoints stand in it as the ledger signed them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

from services.settlement.domain.lines import Line
from services.settlement.domain.nets import Net
from services.settlement.domain.window import Edge
from shared.canonical import Canonical, canonical
from shared.merkle import leaf_hash, root
from shared.money import decimal_text, exponent_of, major

VERSION = 1
_COLUMNS = (
    "partner",
    "window",
    "leg",
    "debtor",
    "creditor",
    "currency",
    "rate",
    "points",
    "items",
    "late_items",
    "points_before",
    "points_after",
    "exact",
    "booked",
)

Document = Mapping[str, Canonical]


class EntryLeaf(NamedTuple):
    """A journal entry as a line counts it: signed points, the entry's hash."""

    bucket: int
    seq: int
    points: int
    hash: bytes


def entries_root(leaves: Iterable[EntryLeaf]) -> bytes:
    """RFC 6962 root over the entries of a line in (bucket, seq) order."""
    return root(
        [
            leaf_hash(
                canonical({"bucket": leaf.bucket, "hash": leaf.hash.hex(), "points": leaf.points, "seq": leaf.seq})
            )
            for leaf in leaves
        ]
    )


def unsigned(
    partner: str,
    window: int,
    opening: Edge | None,
    closing: Edge,
    lines: Sequence[tuple[Line, bytes]],
    nets: Sequence[Net],
) -> dict[str, Canonical]:
    """The document before it is signed. `lines` come with the roots over their entries."""
    rows = [_line(line, entries) for line, entries in lines]
    document: dict[str, Canonical] = {
        "lines": rows,
        "lines_root": root([leaf_hash(canonical(row)) for row in rows]).hex(),
        "nets": [_net(net) for net in nets],
        "partner": partner,
        "to_checkpoint": _edge(closing),
        "v": VERSION,
        "window": window,
    }
    if opening is not None:
        document["from_checkpoint"] = _edge(opening)
    return document


def signed(document: Document, key_id: str, signature: bytes) -> bytes:
    """The bytes that are stored, sent and hashed."""
    return canonical({**document, "signature": {"key_id": key_id, "value": signature.hex()}})


def statements_root(documents: Iterable[bytes]) -> bytes:
    """RFC 6962 root over the SHA-256 of all statements of a window, by partner: shown to every partner."""
    return root([leaf_hash(sha256(document).digest()) for document in documents])


def as_csv(document: Mapping[str, object]) -> bytes:
    """Fixed columns, LF, and a trailer that shows a truncation: END, number of lines, sum of what was booked."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    lines = document["lines"]
    count = 0
    sums: dict[str, int] = {}
    assert isinstance(lines, list)  # noqa: S101  our own document
    for line in lines:
        currency, minor = line["currency"], line["booked_minor"]
        booked = decimal_text_fixed(minor, currency)
        values = {**line, "partner": document["partner"], "window": document["window"], "booked": booked}
        writer.writerow([values[column] for column in _COLUMNS])
        count += 1
        sums[currency] = sums.get(currency, 0) + minor
    writer.writerow(["END", count, *(f"{decimal_text_fixed(sums[c], c)} {c}" for c in sorted(sums))])
    return out.getvalue().encode()


def decimal_text_fixed(minor: int, currency: str) -> str:
    """Minor units with all decimals of their currency: 1200 USD is 12.00."""
    return format(major(minor, exponent_of(currency)), "f")


def _line(line: Line, entries: bytes) -> dict[str, Canonical]:
    key = line.key
    return {
        "booked_minor": line.booked_minor,
        "creditor": key.creditor,
        "currency": key.currency,
        "currency_exponent": exponent_of(key.currency),
        "debtor": key.debtor,
        "entries_root": entries.hex(),
        "exact": decimal_text(line.exact),
        "items": line.items,
        "late_items": line.late_items,
        "leg": key.leg.value,
        "points": line.points,
        "points_after": line.points_after,
        "points_before": line.points_before,
        "rate": str(key.rate),
        "rounding": key.rounding.value,
    }


def _net(net: Net) -> dict[str, Canonical]:
    return {
        "billed_minor": net.billed_minor,
        "currency": net.currency,
        "net_minor": net.net_minor,
        "reimbursed_minor": net.reimbursed_minor,
    }


def _edge(edge: Edge) -> dict[str, Canonical]:
    document: dict[str, Canonical] = {
        "created_at": edge.created_at,
        "entry_count": edge.entry_count,
        "key_id": edge.key_id,
        "number": edge.checkpoint,
        "root": edge.root.hex(),
        "signature": edge.signature.hex(),
    }
    if edge.tree_root:
        document |= {"tree_root": edge.tree_root.hex(), "tree_signature": edge.tree_signature.hex()}
    return document
