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
from shared.merkle import folded, leaf_hash, root
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
    "tax_class",
    "tax",
    "subject",
)

Document = Mapping[str, Canonical]


class EntryLeaf(NamedTuple):
    """A journal entry as a line counts it: signed points, the entry's hash."""

    bucket: int
    seq: int
    points: int
    hash: bytes

    @property
    def leaf(self) -> bytes:
        """Its leaf in the tree over a line's entries: canonical JSON, spelled out because there are millions of it."""
        return b'{"bucket":%d,"hash":"%s","points":%d,"seq":%d}' % (
            self.bucket,
            self.hash.hex().encode(),
            self.points,
            self.seq,
        )


class EntriesTree:
    """The RFC 6962 tree over a line's entries, leaf by leaf in (bucket, seq) order; it keeps only its right edge."""

    __slots__ = ("_count", "_peaks")

    def __init__(self) -> None:
        self._count = 0
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Add a leaf. Written out: `shared.merkle.Growing` answers nodes that nobody needs here, millions of them."""
        hash_, place, peaks = sha256(b"\x00" + leaf).digest(), self._count, self._peaks
        while place & 1:
            hash_ = sha256(b"\x01" + peaks.pop() + hash_).digest()
            place >>= 1
        peaks.append(hash_)
        self._count += 1

    @property
    def root(self) -> bytes:
        return folded(self._peaks)


def entries_root(leaves: Iterable[EntryLeaf]) -> bytes:
    """RFC 6962 root over the entries of a line in (bucket, seq) order."""
    tree = EntriesTree()
    for leaf in leaves:
        tree.add(leaf.leaf)
    return tree.root


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
        "to_checkpoint": edge_form(closing),
        "v": VERSION,
        "window": window,
    }
    if opening is not None:
        document["from_checkpoint"] = edge_form(opening)
    return document


def signed(document: Document, key_id: str, signature: bytes) -> bytes:
    """The bytes that are stored, sent and hashed."""
    return canonical({**document, "signature": {"key_id": key_id, "value": signature.hex()}})


def statements_root(documents: Iterable[bytes]) -> bytes:
    """RFC 6962 root over the SHA-256 of all statements of a window, by partner: shown to every partner."""
    return root([leaf_hash(sha256(document).digest()) for document in documents])


def as_csv(document: Mapping[str, object]) -> bytes:
    """Fixed columns, LF, and a trailer that shows a truncation: END, number of lines, sum with tax."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    lines = document["lines"]
    count = 0
    sums: dict[str, int] = {}
    assert isinstance(lines, list)  # noqa: S101  our own document
    for line in lines:
        currency, minor = line["currency"], line["booked_minor"]
        tax_minor = line.get("tax_minor", 0)
        values = {
            **line,
            "partner": document["partner"],
            "window": document["window"],
            "booked": decimal_text_fixed(minor, currency),
            "tax_class": line.get("tax", ""),
            "tax": decimal_text_fixed(tax_minor, currency),
        }
        writer.writerow([values.get(column, "") for column in _COLUMNS])
        count += 1
        sums[currency] = sums.get(currency, 0) + minor + tax_minor
    writer.writerow(["END", count, *(f"{decimal_text_fixed(sums[c], c)} {c}" for c in sorted(sums))])
    return out.getvalue().encode()


def decimal_text_fixed(minor: int, currency: str) -> str:
    """Minor units with all decimals of their currency: 1200 USD is 12.00."""
    return format(major(minor, exponent_of(currency)), "f")


def _line(line: Line, entries: bytes) -> dict[str, Canonical]:
    """What a contract does not use does not stand in the document, whose bytes were promised before there was any."""
    key = line.key
    more: dict[str, Canonical] = {}
    if key.tax:
        more = {"tax": key.tax, "tax_minor": line.tax_minor}
    if key.subject:
        more["subject"] = key.subject
    if key.fees:
        more["fees"] = key.fees
    return more | {
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
    more: dict[str, Canonical] = {}
    if net.fees_minor:
        more["fees_minor"] = net.fees_minor
    if net.tax_minor:
        more["tax_minor"] = net.tax_minor
    return more | {
        "billed_minor": net.billed_minor,
        "currency": net.currency,
        "net_minor": net.net_minor,
        "reimbursed_minor": net.reimbursed_minor,
    }


def edge_form(edge: Edge) -> dict[str, Canonical]:
    """A checkpoint as it stands in a document."""
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
