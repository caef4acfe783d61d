"""Settlement's paying side and the test bank, with a way between them: HTTP or a pair of folders."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection

from services.settlement.api.bank.folder import Folder
from services.settlement.api.bank.http import Http
from services.settlement.domain.sending import Transport
from services.settlement.formats.bank_file import bank_file
from services.settlement.store import bank_files, files, repairs
from services.settlement.store.bank_files import Result
from shared.refusal import Refusal
from tests.settlement.accounts import account_of, clearing
from tests.settlement.bank import Bank
from tests.settlement.cashier import ANNA, BEN, Cashier

CLEARING = "CLEARING"
FUNDS = 100_000_00


class House:
    """The cashier's clock is the bank's: a test moves both by `advance`."""

    def __init__(self, cashier: Cashier, bank: Bank, way: str) -> None:
        self.bank = bank
        self.way = way
        self.cashier = cashier
        cashier.use(transport(bank, way))
        cashier.clock.at = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
        self.refused: list[Refusal] = []
        self._seen: set[str] = set()

    def opens(self, *partners: str, balance: int = FUNDS, currency: str = "EUR") -> None:
        """A clearing account with money of the operator, and an account at the same bank for each partner."""
        self.bank.holds(CLEARING, clearing(currency).iban, balance=balance, currency=currency)
        for number, partner in enumerate(partners, start=100):
            self.bank.holds(partner.upper(), account_of(partner, number, currency).iban, currency=currency)
        self.cashier.ready(*partners, currency=currency)
        self.cashier.prefund(balance, currency)

    def pays(self, batch: int, nets: dict[str, int], currency: str = "EUR") -> str:
        """Calculated, approved, released and sent; the MsgId of its file."""
        (file,) = self.cashier.approved(batch, nets, currency)
        self.cashier.release(batch)
        self.send()
        return file.msg_id

    def send(self) -> None:
        """All that is due; where a folder is between, the bank looks into it."""
        self.cashier.step()
        if self.way == "folder":
            self.bank.scan()

    def hear(self, *, without: str = "") -> list[Result]:
        """Import what the bank has said since, in its order; what is refused is kept in `refused`."""
        results = []
        for name, content in self._mail():
            if not without or without not in name:
                results += self.read(name, content)
        return results

    def read(self, name: str, content: bytes) -> list[Result]:
        """Import one file of the bank."""
        at, follow = self.cashier.clock.now(), self.cashier.follow
        try:
            file = bank_file(content)
            return [
                self.cashier.do(
                    lambda connection: bank_files.import_file(connection, content, name, file, ANNA, at, follow)
                )
            ]
        except Refusal as refusal:
            self.refused.append(refusal)
            return []

    def advance(self, days: int) -> None:
        """Time passes here and at the bank; what is due is done, what is said is heard."""
        for _ in range(days):
            self.bank.advance(1)
            self.cashier.clock.pass_(days=1)
            self.send()
            self.hear()

    def approve_file(self, msg_id: str, by: str = BEN) -> None:
        """A file that came after its batch was approved."""
        at, name = self.cashier.clock.now(), f"files/{msg_id}"

        def approve(connection: Connection) -> None:
            file = files.found(connection, name)
            files.approve_one(connection, name, file.sha256, by, at)
            repairs.release_late(connection, file.batch, at)

        self.cashier.do(approve)

    def states(self, batch: int = 7) -> dict[str, str]:
        """Of each payment, by EndToEndId."""
        return self.cashier.states(batch)

    def breaks(self) -> list[str]:
        """The reasons of all breaks that are not resolved."""
        rows = self.cashier.rows("SELECT reason FROM settlement.breaks WHERE state <> 'RESOLVED' ORDER BY number")
        return [str(reason) for (reason,) in rows]

    def _mail(self) -> list[tuple[str, bytes]]:
        if self.way == "http":
            return self.bank.mail(CLEARING)
        self.bank.ask("GET", "/_mock/mailbox?leave")
        wanted = self.bank.pickup.glob(f"*-{CLEARING}-*.xml")
        fresh = sorted(path for path in wanted if path.name not in self._seen)
        self._seen |= {path.name for path in fresh}
        ordered = sorted(fresh, key=lambda path: path.stat().st_mtime_ns)
        return [(path.name, path.read_bytes()) for path in ordered]


def transport(bank: Bank, way: str) -> Transport:
    """One of the two ways to the bank, which knows its MsgIds."""
    if way == "http":
        return Http(bank.address, checks_duplicates=True, seconds=20)
    return Folder(bank.drop, checks_duplicates=True)
