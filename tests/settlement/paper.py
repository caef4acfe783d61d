"""A journal on paper: hash-chained entries as the ledger's contract describes them, written by hand in a test.

paper = Journal()
given = paper.award(100, at=day(3))          # bucket 0, issuer "acorn"
paper.reverse(given, 30)
paper.after(0, seq=0)                        # what ReadJournal would answer
paper.checkpoint(day(5))                     # what TakeCheckpoint would
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.settlement.domain.contract import ContractVersion, PriceBook, VersionId
from services.settlement.domain.journal import FeedEntry
from services.settlement.domain.refusals import LedgerMismatch
from services.settlement.domain.terms import Rounding, Terms, Timing
from services.settlement.domain.window import Edge
from shared.canonical import Canonical, canonical
from shared.credentials.keys import key_id
from shared.instants import micros
from shared.merkle import leaf_hash, root
from shared.money import Rate, exponent_of

DAY_ZERO = datetime(2026, 3, 1, tzinfo=UTC)
Postings = Iterable[
    tuple[str, str, int]
    | tuple[str, str, int, str]
    | tuple[str, str, int, str, str]
    | tuple[str, str, int, str, str, int]
]
"""Debit, credit, points; then, where they matter, the lot, the lot whose debt is repaid, when that was earned."""


def day(number: float) -> int:
    """So many days after the first of March."""
    return micros(DAY_ZERO + timedelta(days=number))


class Wrote(NamedTuple):
    """Where an entry was written."""

    bucket: int
    seq: int


def terms(
    billing: str = "0.012",
    reimbursement: str = "0.009",
    *,
    since: int = 0,
    currency: str = "EUR",
    rounding: Rounding = Rounding.CUMULATIVE_HALF_EVEN,
    timing: Timing = Timing.AT_ISSUANCE,
    **more: object,
) -> Terms:
    """`more` are further terms by their names; what is a rate may be a text."""
    plain = Terms(since, Timing.AT_ISSUANCE, Rate.of(billing), Rate.of(reimbursement), currency, rounding)
    texts = {"settlement_currency"}
    further = {
        name: Rate.of(value) if isinstance(value, str) and name not in texts else value for name, value in more.items()
    }
    return replace(plain, timing=timing, **further)  # type: ignore[arg-type]  # terms by their names


def agreed(given: Mapping[str, Any], billing: str = "0", reimbursement: str = "0", **more: object) -> Terms:
    """Terms with the currency, the timing and, where it says one, the rounding of a worked example."""
    assert exponent_of(given["currency"]) == given["currency_exponent"]
    stated: dict[str, Any] = {"timing": Timing(given["timing"])} if "timing" in given else {}
    if "rounding" in given:
        stated["rounding"] = Rounding(given["rounding"])
    return terms(billing, reimbursement, currency=given["currency"], **{**stated, **more})


def book(**versions: Terms | list[Terms]) -> PriceBook:
    """A price book by partner: one version, or several in their order."""
    listed = {name: one if isinstance(one, list) else [one] for name, one in versions.items()}
    return PriceBook(
        ContractVersion(VersionId(name.lower(), number), one)
        for name, all_ in listed.items()
        for number, one in enumerate(all_, start=1)
    )


def _posting(
    debit: str, credit: str, points: int, lot: str = "", for_lot: str = "", earned_at: int = 0
) -> dict[str, Canonical]:
    lots: dict[str, Canonical] = {name: value for name, value in (("lot", lot), ("for_lot", for_lot)) if value}
    if earned_at:
        lots |= {"earned_at": earned_at, "origin": "1-7.0"}
    return {"credit": credit, "debit": debit, "points": points, "unit": "POINTS", **lots}


class Journal:
    """Buckets of entries, and the key that signs their checkpoints."""

    def __init__(self, buckets: int = 2, *, trees: bool = True) -> None:
        """Without trees: the ledger of the first release."""
        self.buckets: list[list[FeedEntry]] = [[] for _ in range(buckets)]
        self.key = Ed25519PrivateKey.from_private_bytes(b"ledger".ljust(32))
        self.checkpoints = 0
        self.trees = trees

    def write(
        self,
        kind: str,
        postings: Postings,
        *,
        bucket: int = 0,
        at: int | None = None,
        original: int | None = None,
        issuer: str = "",
        campaign: str = "",
    ) -> Wrote:
        """Append an entry. `issuer` and `campaign` are those of all of its lots."""
        entries = self.buckets[bucket]
        lots: dict[str, Canonical] = {"issuer": issuer} if issuer else {}
        if campaign:
            lots |= {"campaign": campaign}
        form: dict[str, Canonical] = {
            "bucket": bucket,
            "kind": kind,
            "occurred_at": day(len(entries) / 100) if at is None else at,
            "postings": [_posting(*posting) | lots for posting in postings],
            "seq": len(entries) + 1,
            "v": 1,
        }
        if original is not None:
            form["original"] = original
        return self.write_bytes(canonical(form), bucket=bucket)

    def write_bytes(self, body: bytes, *, bucket: int = 0) -> Wrote:
        """Append whatever this is, properly chained."""
        entries = self.buckets[bucket]
        previous = entries[-1].hash if entries else bytes(32)
        entries.append(FeedEntry(bucket, len(entries) + 1, sha256(previous + body).digest(), body))
        return Wrote(bucket, len(entries))

    def award(self, points: int, issuer: str = "acorn", *, bucket: int = 0, at: int | None = None) -> Wrote:
        return self.write("AWARD", [(f"ISSUED:{issuer}", "AVAILABLE", points)], bucket=bucket, at=at)

    def redeem(
        self, points: int, acceptor: str = "acorn", *, bucket: int = 0, at: int | None = None, issuer: str = ""
    ) -> Wrote:
        spent = [("AVAILABLE", f"REDEEMED:{acceptor}", points)]
        return self.write("REDEMPTION", spent, bucket=bucket, at=at, issuer=issuer)

    def reverse(
        self, award: Wrote, points: int, issuer: str = "acorn", *, at: int | None = None, written_off: int = 0
    ) -> Wrote:
        postings = [("AVAILABLE", f"ISSUED:{issuer}", points)] if points else []
        if written_off:
            postings.append((f"WRITTEN_OFF:{issuer}", f"ISSUED:{issuer}", written_off))
        return self.write("REVERSAL", postings, bucket=award.bucket, original=award.seq, at=at)

    def refund(
        self, redemption: Wrote, points: int, acceptor: str = "acorn", *, at: int | None = None, issuer: str = ""
    ) -> Wrote:
        postings = [(f"REDEEMED:{acceptor}", "AVAILABLE", points)]
        original, bucket = redemption.seq, redemption.bucket
        return self.write("REFUND", postings, bucket=bucket, original=original, at=at, issuer=issuer)

    def after(self, bucket: int, seq: int) -> list[FeedEntry]:
        """The next entries of one bucket, a few at a time."""
        return self.buckets[bucket][seq : seq + 7] if bucket < len(self.buckets) else []

    def page(self) -> list[FeedEntry]:
        """All there is."""
        return [entry for entries in self.buckets for entry in entries]

    def checkpoint(self, at: int) -> Edge:
        """Signed heads."""
        self.checkpoints += 1
        seqs = tuple(len(entries) for entries in self.buckets)
        hashes = tuple(entries[-1].hash if entries else bytes(32) for entries in self.buckets)
        top = root(
            [
                leaf_hash(canonical({"bucket": bucket, "hash": hash_.hex(), "seq": seq}))
                for bucket, (seq, hash_) in enumerate(zip(seqs, hashes, strict=True))
            ]
        )
        edge = Edge(self.checkpoints, seqs, hashes, top, at, b"", key_id(self.key.public_key()))
        edge = replace(edge, signature=self.key.sign(_signed_form(edge)))
        if not self.trees:
            return edge
        edge = replace(edge, tree_root=root([leaf_hash(canonical(leaf)) for leaf in self._bucket_leaves()]))
        return replace(edge, tree_signature=self.key.sign(_signed_tree_form(edge)))

    def _bucket_leaves(self) -> list[dict[str, Canonical]]:
        return [
            {"bucket": bucket, "root": self.tree_root(bucket).hex(), "seq": len(entries)}
            for bucket, entries in enumerate(self.buckets)
        ]

    def tree_root(self, bucket: int) -> bytes:
        """The root over a bucket's entries; none in the first release."""
        return root([leaf_hash(entry.hash) for entry in self.buckets[bucket]]) if self.trees else b""

    def check(self, edge: Edge) -> None:
        """Raises LedgerMismatch when the checkpoint is not one of ours."""
        try:
            self.key.public_key().verify(edge.signature, _signed_form(edge))
            if edge.tree_root or edge.tree_signature:
                self.key.public_key().verify(edge.tree_signature, _signed_tree_form(edge))
        except InvalidSignature:
            raise LedgerMismatch(checkpoint=edge.checkpoint, detail="its signature is not the ledger's") from None
        if edge.key_id != key_id(self.key.public_key()):
            raise LedgerMismatch(checkpoint=edge.checkpoint, detail="its key is not the ledger's")
        heads = [
            leaf_hash(canonical({"bucket": bucket, "hash": hash_.hex(), "seq": seq}))
            for bucket, (seq, hash_) in enumerate(zip(edge.seqs, edge.hashes, strict=True))
        ]
        if root(heads) != edge.root:
            raise LedgerMismatch(checkpoint=edge.checkpoint, detail="its root does not follow from its heads")

    @property
    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes_raw()


def _signed_form(edge: Edge) -> bytes:
    return canonical(_form(edge) | {"v": 1})


def _signed_tree_form(edge: Edge) -> bytes:
    return canonical(_form(edge) | {"tree_root": edge.tree_root.hex(), "v": 2})


def _form(edge: Edge) -> dict[str, Canonical]:
    return {
        "created_at": edge.created_at,
        "entry_count": edge.entry_count,
        "number": edge.checkpoint,
        "root": edge.root.hex(),
    }
