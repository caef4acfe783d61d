"""Where the bank's papers come in, over the tables of the cashier."""

from __future__ import annotations

from pathlib import Path

from services.settlement.formats.bank_file import bank_file
from services.settlement.store import breaks
from services.settlement.store.bank_files import Result, import_file
from services.settlement.store.breaks import Break
from services.settlement.store.instructions import Stored
from tests.settlement.accounts import clearing
from tests.settlement.cashier import Cashier
from tests.settlement.reconciling.papers import Said, statement
from tests.support.databases import Databases

CAROL = "operator/carol"
NETS = {"alpha": 8459, "beta": 2674, "gamma": -11133}


class Counter(Cashier):
    """Batch 1 was released and its file was taken by the bank."""

    def __init__(self, databases: Databases, folder: Path) -> None:
        super().__init__(databases, folder)
        self.ready(*NETS)
        (self.built_file,) = self.released(1, NETS)
        self.account = clearing().iban
        self.by_partner: dict[str, Stored] = {one.partner: one for one in self.instructions(1).values()}
        self.last = 0
        self.number = 0

    @property
    def pays(self) -> tuple[Stored, Stored]:
        return self.by_partner["alpha"], self.by_partner["beta"]

    @property
    def pay_in(self) -> Stored:
        return self.by_partner["gamma"]

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

    def state(self, partner: str) -> str:
        return {one.partner: one.state for one in self.instructions(1).values()}[partner]

    def breaks(self) -> list[Break]:
        return self.do(lambda connection: breaks.page(connection, 0, 100, pending=True))

    def reasons(self) -> list[str]:
        return [one.reason.value for one in self.breaks()]

    def paid(self, one: Stored, **changed: object) -> Said:
        """The entry of a payment that went as it should."""
        facts: dict[str, object] = {
            "minor": -one.amount_minor,
            "end_to_end_id": one.end_to_end_id,
            "account": one.account,
        }
        return Said(**{**facts, **changed})  # type: ignore[arg-type]
