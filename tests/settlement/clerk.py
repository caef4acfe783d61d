"""Batches with nothing in front of them: windows whose lines a test says, contracts, accounts, a played bank."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, text

from services.settlement.domain.legs import Leg
from services.settlement.domain.lines import Line, LineKey
from services.settlement.domain.nets import nets_of
from services.settlement.domain.netting import Model
from services.settlement.domain.proposal import Kind
from services.settlement.domain.terms import Rounding, Route, Terms, Timing
from services.settlement.domain.window import Edge
from services.settlement.store import batches, books, caps, contracts, reference, windows
from services.settlement.store.batches import (
    conditions,
    contents,
    deciding,
    defaulting,
    ending,
    making,
    openings,
    overriding,
    rows,
)
from services.settlement.store.batches.conditions import Condition
from services.settlement.store.batches.openings import Open
from services.settlement.store.batches.rows import Batch
from services.settlement.store.repairs import Repairs
from shared.instants import instant, micros
from shared.money import Rate
from tests.settlement.cashier import ANNA, BEN, Cashier
from tests.support.databases import Databases

CARL = "operator/carl"
Owed = Sequence[tuple[str, str, int] | tuple[str, str, int, str]]
"""Debtor, creditor, minor units; then, where it is not euro, the currency."""

_SEAL = text("INSERT INTO settlement.seals (window_number, document, sha256) VALUES (:number, :document, :sha256)")


def terms(currency: str = "EUR", **more: object) -> Terms:
    """A partner that is paid as it comes."""
    plain = Terms(0, Timing.AT_REDEMPTION, Rate(0), Rate(0), currency, rate_at_redemption=Rate.of("0.01"))
    return replace(plain, route=Route.DIRECT, **more)  # type: ignore[arg-type]


class Clerk(Cashier):
    """Anna prepares, Ben approves, Carl is somebody else."""

    def __init__(self, databases: Databases, folder: Path) -> None:
        super().__init__(databases, folder)
        self.repairs = Repairs(self.follow)
        self._effects = {
            **self._effects,
            Kind.SUPERSEDE: self.repairs.supersede,
            Kind.CARRY_OVER: self.repairs.carry,
            Kind.RESOLVE_UNKNOWN: self.repairs.resolve,
            Kind.CONTRACT_VERSION: contracts.publish,
            Kind.FX_SET: reference.load_fx_set,
            Kind.MODEL: reference.publish_model,
            Kind.CALENDAR: reference.publish_calendar,
            Kind.CAP: caps.effect,
            Kind.OVERRIDE: overriding.effect,
            Kind.DEFAULT: defaulting.effect,
        }
        self.do(lambda connection: windows.ensure_first(connection, self.clock.now()))

    def follow(self, connection: Connection, batch: int, at: datetime) -> None:
        batches.follow(connection, batch, at)

    def agrees(self, partner: str, found: Terms | None = None) -> None:
        """A contract."""
        at = self.clock.now()
        proposal = self.do(lambda connection: contracts.propose(connection, partner, found or terms(), ANNA, at))
        self.approve(proposal)

    def window(self, owed: Owed = (), *, lines: Iterable[Line] = ()) -> int:
        """A closed window in which these owe each other."""
        return self.do(lambda connection: self._window(connection, [*lines, *map(_line, owed)]))

    def create(
        self,
        *numbers: int,
        by: str = ANNA,
        currencies: Iterable[str] = (),
        netting: Model | None = None,
        model: str = "",
    ) -> Batch:
        at = self.clock.now()
        wanted = list(currencies)
        return self.do(
            lambda connection: making.create(connection, numbers, wanted, by, at, netting=netting, model=model)
        )

    def calculate(self, batch: Batch, by: str = ANNA) -> Batch:
        return self._act(batch, lambda connection, one: making.calculate(connection, one, by, self.clock.now()))

    def submit(self, batch: Batch, by: str = ANNA) -> Batch:
        return self._act(batch, lambda connection, one: deciding.submit(connection, one, by, self.clock.now()))

    def approved_batch(self, batch: Batch, by: str = BEN) -> Batch:
        return self._act(
            batch,
            lambda connection, one: deciding.approve(connection, one, one.content_sha256, by, self.clock.now()),
        )

    def release_batch(self, batch: Batch, by: str = ANNA) -> Batch:
        return self._act(
            batch, lambda connection, one: ending.release(connection, one, one.content_sha256, by, self.clock.now())
        )

    def revise(self, batch: Batch, by: str = ANNA) -> Batch:
        return self._act(batch, lambda connection, one: ending.revise(connection, one, "why", by, self.clock.now()))

    def cancel(self, batch: Batch, by: str = ANNA) -> Batch:
        return self._act(batch, lambda connection, one: ending.cancel(connection, one, "why", by, self.clock.now()))

    def settle(self, *numbers: int, currencies: Iterable[str] = ()) -> Batch:
        """From windows to everything paid and final."""
        return self.pay(self.release_batch(self.ready_batch(*numbers, currencies=currencies)))

    def ready_batch(self, *numbers: int, currencies: Iterable[str] = ()) -> Batch:
        """Approved."""
        return self.approved_batch(self.submit(self.calculate(self.create(*numbers, currencies=currencies))))

    def pay(self, batch: Batch, *, without: Iterable[str] = ()) -> Batch:
        """The bank books everything but these partners' payments; collections come first, so pay files follow."""
        for _ in range(4):
            self.clock.pass_(minutes=2)
            self.step()
            for one in self.instructions(batch.number).values():
                if one.state in {"SENT", "UNKNOWN", "ACCEPTED"} and one.partner not in without:
                    self.stated(one.name)
            self.do(lambda connection: batches.follow(connection, batch.number, self.clock.now()))
        for _ in range(9):
            self.clock.pass_(days=10)
            self.step()
        return self.batch(batch.name)

    def batch(self, name: str) -> Batch:
        return self.do(lambda connection: rows.found(connection, name))

    def document(self, batch: Batch) -> Mapping[str, object]:
        """What was calculated of it."""
        return self.do(lambda connection: contents.found(connection, batch, batch.take).document)

    def content(self, batch: Batch) -> bytes:  # type: ignore[override]
        return self.do(lambda connection: contents.found(connection, batch, batch.take).content)

    def blocked(self, batch: Batch) -> list[Condition]:
        def look(connection: Connection) -> list[Condition]:
            one = rows.found(connection, batch.name)
            found = making.dispositions_of(contents.found(connection, one, one.take))
            return conditions.standing(connection, one, found, self.clock.now())

        return self.do(look)

    def open(self) -> dict[tuple[str, str], int]:
        """What is carried and no batch has taken in."""
        found: list[Open] = self.do(lambda connection: openings.page(connection, 0, 1_000))
        return {(one.partner, one.currency): one.minor for one in found}

    def window_state(self, number: int) -> str:
        return self.do(lambda connection: windows.found(connection, f"windows/{number}").state.value)

    def _act(self, batch: Batch, act: Callable[[Connection, Batch], Batch]) -> Batch:
        return self.do(lambda connection: act(connection, rows.locked(connection, batch.name)))

    def _window(self, connection: Connection, lines: list[Line]) -> int:
        open_ = windows.found(connection, "windows/open")
        at = self.clock.now()
        windows.ask_to_close(connection, open_.number, uuid4(), ANNA)
        windows.fix_edge(connection, open_, _edge(open_.number, at))
        books.save(connection, open_.number, lines, nets_of(lines, []))
        document = b"seal %d" % open_.number
        digest = sha256(document).digest()
        connection.execute(_SEAL, {"number": open_.number, "document": document, "sha256": digest})
        windows.close(connection, open_.number, at, contracts.versions_known(connection), digest)
        return open_.number


def _edge(number: int, at: datetime) -> Edge:
    return Edge(number, (), (), bytes(32), micros(at), b"signature", "key")


def _line(owed: tuple[str, str, int] | tuple[str, str, int, str]) -> Line:
    debtor, creditor, minor, *rest = owed
    currency = str(rest[0]) if rest else "EUR"
    key = LineKey(
        Leg.REDEMPTION, debtor, currency, Rate.of("0.01"), Rounding.CUMULATIVE_HALF_EVEN, counterparty=creditor
    )
    return Line(key, minor, 1, 0, 0, minor)


__all__ = ["ANNA", "BEN", "CARL", "Clerk", "instant", "terms"]
