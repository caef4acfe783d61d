"""Requests as bytes, made from templates: only the grant, the request id and the receipt's number change."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from coalition.ledger.v1 import ledger_pb2 as pb
from google.protobuf.message import Message
from google.type.date_pb2 import Date

from shared.clock import SystemClock
from shared.credentials.grants import Grant, GrantRing, Scope

LEDGER = "/coalition.ledger.v1.LedgerService"
_ID = "00000000-0000-4000-8000-000000000000"
_NUMBER = "R0000000000000000"


def wallet(number: int) -> UUID:
    """Always the same wallets, so that runs meet each other's."""
    return UUID(int=random.Random(number).getrandbits(128), version=4)


def grants(ring: GrantRing, partner: str, wallets: Sequence[int]) -> list[bytes]:
    """A grant of each wallet for a partner, as bytes of any request that takes one: its field number is always 2."""
    now = SystemClock().now()
    sealed = (ring.seal(_grant(partner, number, now)) for number in wallets)
    return [pb.AwardPointsRequest(grant=one).SerializeToString() for one in sealed]


def _grant(partner: str, number: int, now: datetime) -> Grant:
    return Grant(wallet(number), partner, Scope.REDEEM, None, (), now, now + timedelta(days=1), uuid4())


class Template:
    """A request cut at its request id and its receipt number."""

    def __init__(self, message: Message) -> None:
        whole = message.SerializeToString()
        self._before, rest = whole.split(_ID.encode())
        self._between, *after = rest.split(_NUMBER.encode())
        self._after = after[0] if after else None

    def filled(self, more: bytes, run: int, number: int) -> bytes:
        """A request with an id and a receipt of its own; `more` are fields that are bytes already."""
        begun = b"%b%b%b%b" % (more, self._before, _fresh_id(), self._between)
        return begun if self._after is None else b"%bR%04x%012x%b" % (begun, run, number, self._after)


def award_template(points: int = 100) -> Template:
    receipt = pb.ReceiptRef(
        store="S1", terminal="T1", business_date=Date(year=2026, month=1, day=15), receipt_no=_NUMBER
    )
    lines = [pb.AwardLine(points=points)]
    return Template(pb.AwardPointsRequest(request_id=_ID, lines=lines, receipt_ref=receipt))


def redeem_template(points: int = 7) -> Template:
    return Template(pb.RedeemPointsRequest(request_id=_ID, points=points))


def hold_template(points: int = 7) -> Template:
    return Template(pb.HoldPointsRequest(request_id=_ID, points=points))


def capture(hold: str) -> bytes:
    return pb.CaptureHoldRequest(request_id=_fresh_id().decode(), name=hold).SerializeToString()


def as_item(request: bytes) -> bytes:
    """A request as one item of a batch."""
    size, length = len(request), bytearray()
    while size >= 128:
        length.append(size % 128 | 128)
        size //= 128
    return b"\x0a" + bytes([*length, size]) + request


def _fresh_id() -> bytes:
    """A version 4 UUID, as the partner's client makes them, at a fifth of the price."""
    digits = os.urandom(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}".encode()
