"""Resource names of the ledger. An id carries its bucket, so a call by name touches one shard; never the wallet."""

from __future__ import annotations

from services.ledger.domain.entry import Place
from shared.refusal import Refusal


def entry_name(partner: str, place: Place) -> str:
    return f"partners/{partner}/entries/{place}"


def hold_name(partner: str, place: Place) -> str:
    return f"partners/{partner}/holds/{place}"


def partner_and_place(name: str, bucket_count: int, missing: Refusal) -> tuple[str, Place]:
    """Both parts of an entry's or a hold's name. Raises `missing` for a place that cannot exist."""
    _, partner, _, place = name.split("/")
    bucket, seq = (int(number) for number in place.split("-"))
    if bucket >= bucket_count or not 0 < seq < 2**63:
        raise missing
    return partner, Place(bucket, seq)
