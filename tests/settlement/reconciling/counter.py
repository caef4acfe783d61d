"""Where the bank's papers come in, over a batch that is at the bank."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, text

from services.settlement.domain.proposal import Kind
from services.settlement.formats.bank_file import bank_file
from services.settlement.store import breaks, clearing, files, proposals, repairs, stops
from services.settlement.store.bank_files import Result, import_file
from services.settlement.store.batches import overriding, rows
from services.settlement.store.batches.rows import Batch
from services.settlement.store.breaks import Break
from services.settlement.store.instructions import Stored
from shared.canonical import Canonical
from tests.settlement import accounts
from tests.settlement.cashier import ANNA, PATIENCE, Cashier
from tests.settlement.clerk import Clerk
from tests.settlement.reconciling.papers import FUNDS, Said, statement
from tests.support.databases import Databases

CAROL, DORA = "operator/carol", "operator/dora"
NETS = {"alpha": 8459, "beta": 2674, "gamma": -11133}
OWED = [("gamma", partner, net) for partner, net in NETS.items() if net > 0]


class Counter(Clerk):
    """Batch 1 was released; alpha and beta are to be paid, gamma pays in. The bank took its file, which does not wait
    for gamma, unless the operator has put nothing on the account."""

    def __init__(self, databases: Databases, folder: Path, funds: int = FUNDS) -> None:
        super().__init__(databases, folder)
        self.ready(*NETS)
        if funds:
            self.prefund(funds)
        self.first = self.release_batch(self.ready_batch(self.window(OWED)))
        self.step()
        (self.built_file,) = self.do(lambda connection: files.page(connection, 1, "", 2))
        self.account = accounts.clearing().iban
        self.by_partner: dict[str, Stored] = {one.partner: one for one in self.instructions(1).values()}
        self.last = FUNDS
        self.number = 0
        self.leaving: list[Callable[[], object]] = []

    @property
    def pays(self) -> tuple[Stored, Stored]:
        return self.by_partner["alpha"], self.by_partner["beta"]

    @property
    def pay_in(self) -> Stored:
        return self.by_partner["gamma"]

    def another(self, minor: int = 700) -> Batch:
        """A second batch, approved: gamma owes alpha more."""
        return self.ready_batch(self.window([("gamma", "alpha", minor)]))

    def take_in(self, content: bytes, name: str = "a file", only: int | None = None) -> Result:
        return self.do(
            lambda connection: import_file(
                connection, content, name, bank_file(content), CAROL, self.clock.now(), self.follow, only
            )
        )

    def states_of(self, *entries: Said) -> Result:
        """The next statement of the clearing account."""
        content = statement(self.account, self.clock.now().date(), entries, number=self.number + 1, opening=self.last)
        result = self.take_in(content)
        self.number += 1
        self.last += sum(one.minor for one in entries)
        return result

    def state_of(self, end_to_end_id: str) -> str:
        """Empty where there is none."""
        found = self.rows("SELECT state FROM settlement.instructions WHERE end_to_end_id = %s", end_to_end_id)
        return str(found[0][0]) if found else ""

    def state(self, partner: str) -> str:
        return self.state_of(f"B1-{partner}-1")

    def breaks(self) -> list[Break]:
        return self.do(lambda connection: breaks.page(connection, 0, 100, pending=True))

    def reasons(self) -> list[str]:
        return [one.reason.value for one in self.breaks()]

    def stops(self) -> list[Break]:
        return self.do(stops.standing)

    def explain(self, name: str) -> None:
        """A person says what a break is, as ExplainBreak does."""
        at = self.clock.now()
        self.do(lambda connection: breaks.explain(connection, name, "a person looked", None, CAROL, at))
        self.do(lambda connection: clearing.over(connection, breaks.found(connection, name), at))

    def resolve(self, name: str) -> None:
        """A person has a document, as ResolveBreak does."""
        at = self.clock.now()
        self.do(lambda connection: breaks.resolve(connection, name, "a letter", b"", None, CAROL, at))
        self.do(lambda connection: clearing.over(connection, breaks.found(connection, name), at))

    def look(self) -> None:
        self.do(lambda connection: clearing.look(connection, CAROL, self.clock.now()))

    def bytes_of(self, msg_id: str) -> bytes:
        """A payment file."""
        return Cashier.content(self, msg_id)

    def days(self, days: int) -> None:
        """Each with what is due on it."""
        for _ in range(days):
            self.clock.pass_(days=1)
            self.again()

    def again(self) -> None:
        """All that is due, also what was put off."""
        self.rows("UPDATE settlement.steps SET retry_at = 'epoch', lease_until = 'epoch' RETURNING 1")
        self.step()

    def ends(self, without: str = "") -> None:
        """The bank states whatever it has not yet but this payment, and nothing comes back."""
        left = [
            one
            for one in self.instructions(1).values()
            if one.state in {"SENT", "UNKNOWN", "ACCEPTED", "BOOKED"}
            and one.stated_on is None
            and one.end_to_end_id != without
        ]
        self.clock.pass_(days=1)
        if left:
            self.states_of(*(self.booked(one) for one in left))
        self.days(10)

    def paid(self, one: Stored, **changed: object) -> Said:
        """The entry of a payment that went as it should."""
        facts: dict[str, object] = {
            "minor": -one.amount_minor,
            "end_to_end_id": one.end_to_end_id,
            "account": one.account,
        }
        return Said(**{**facts, **changed})  # type: ignore[arg-type]

    def booked(self, one: Stored) -> Said:
        """The same; a pay-in by its reference."""
        return Said(one.amount_minor, reference=one.reference) if one.reference else self.paid(one)

    def rehearsed(self, batch: Batch) -> list[tuple[object, ...]]:
        """The files that a batch would have, if it were calculated now."""
        with self.sessions.rehearsing(PATIENCE):
            self.calculate(batch)
            return self.do(lambda connection: self.written(connection, batch.number))

    @staticmethod
    def written(connection: Connection, batch: int) -> list[tuple[object, ...]]:
        """MsgId, hash and bytes of a batch's files."""
        asked = text("SELECT msg_id, sha256, content FROM settlement.payment_files WHERE batch = :batch ORDER BY 1")
        return [tuple(row) for row in connection.execute(asked, {"batch": batch})]

    def files(self, batch: int) -> list[str]:
        return [one.name for one in self.do(lambda connection: files.page(connection, batch, "", 10))]

    def approves_file(self, name: str) -> None:
        """A replacement, after which it goes to the bank."""
        at, digest = self.clock.now(), self.file(name.removeprefix("files/")).sha256
        batch = self.do(lambda connection: files.approve_one(connection, name, digest, DORA, at)).batch
        self.do(lambda connection: repairs.release_late(connection, batch, at))

    def overrides(self, batch: Batch, condition: str) -> None:
        """Two people go on in spite of it."""
        at = self.clock.now()
        made = self.do(
            lambda connection: overriding.propose(
                connection, rows.locked(connection, batch.name), [condition], "agreed by phone", ANNA, at
            )
        )
        self.approve(made.name)

    def batches(self) -> list[Batch]:
        return self.do(lambda connection: rows.page(connection, 0, 100))

    def leave(self) -> None:
        for one in self.leaving:
            one()
        super().leave()

    def capped(self, partner: str, minor: int) -> None:
        """Two people set its cap."""
        content: Canonical = {"currency": "EUR", "cap_minor": minor, "alert_minor": 0, "outstanding_weight": "0"}
        at, subject = self.clock.now(), f"partners/{partner}"
        made = self.do(lambda connection: proposals.propose(connection, Kind.CAP, subject, content, ANNA, at))
        self.approve(made.name)

    def carrying(self, name: str) -> str:
        """The proposal to leave a failed payment to a later batch."""
        at = self.clock.now()
        made = self.do(lambda connection: repairs.propose_carrying(connection, name, "next time", ANNA, at))
        return made.name
