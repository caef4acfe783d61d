"""The test bank, run as the program that it is: `python -m mockbank` on a free port of this machine."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from tests.support.ports import claimed

OPENS = "2026-03-02T09:00"
"""A Monday morning."""
_PATIENCE = 30.0


class Bank:
    """What a test tells the bank, and what the bank has to say."""

    def __init__(self, port: int, drop: Path, pickup: Path) -> None:
        self.port = port
        self.address = f"http://127.0.0.1:{port}/payments"
        self.drop = drop
        self.pickup = pickup

    def holds(
        self, name: str, iban: str, *, balance: int = 0, currency: str = "EUR", behaviour: str = "accept"
    ) -> None:
        facts = {"id": name, "iban": iban, "balance": balance, "currency": currency, "behaviour": behaviour}
        self.ask("POST", "/_mock/accounts", {**facts, "bic": "MOCKDEFF", "name": name.title()})

    def turns(self, name: str, behaviour: str, **parameters: object) -> None:
        """From now on that account does otherwise."""
        self.ask("PATCH", f"/_mock/accounts/{name}", {"behaviour": behaviour, "parameters": parameters})

    def balance(self, name: str) -> int:
        """What the account has, in minor units."""
        return int(self.ask("GET", f"/_mock/accounts/{name}")["balance"])

    def advance(self, days: int) -> None:
        self.ask("POST", f"/_mock/advance?days={days}")

    def today(self) -> date:
        return date.fromisoformat(self.ask("GET", "/_mock/state")["clock"]["date"])

    def credit(self, account: str, minor: int, **facts: object) -> None:
        """Money arrives from somebody."""
        self.ask("POST", "/_mock/credits", {"account": account, "amount": minor, **facts})

    def mail(self, account: str) -> list[tuple[str, bytes]]:
        """Messages about an account that nobody has taken yet: (type, bytes), oldest first."""
        rows = self.ask("GET", "/_mock/mailbox")
        return [(row["type"], row["body"].encode()) for row in rows if row["account"] == account]

    def said(self, account: str, kind: str) -> list[bytes]:
        """All messages of a kind about an account, taken or not."""
        rows = self.ask("GET", f"/_mock/messages?type={kind}")
        return [row["body"].encode() for row in rows if row["account"] == account]

    def paid(self, end_to_end_id: str) -> list[dict[str, Any]]:
        """What the bank did with a payment, each time that it was asked."""
        return [row for row in self.ask("GET", "/_mock/payments") if row["end_to_end_id"] == end_to_end_id]

    def booked(self, end_to_end_id: str) -> int:
        """How often the money of a payment left: more than once is what must never be."""
        return sum(row["booked_at"] is not None for row in self.paid(end_to_end_id))

    def scan(self) -> list[dict[str, Any]]:
        """Look into the folder now."""
        found: list[dict[str, Any]] = self.ask("POST", "/_mock/drop/scan")["files"]
        return found

    def ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        assert answer.status < 300, (method, path, answer.status, content[:500])
        return json.loads(content)


@contextmanager
def bank_in(folder: Path, *options: str) -> Iterator[Bank]:
    """A bank that is open while the block lasts."""
    drop, pickup = folder / "to-the-bank", folder / "from-the-bank"
    for one in (drop, pickup):
        one.mkdir(parents=True)
    port = claimed()
    folders = ["--drop-dir", str(drop), "--pickup-dir", str(pickup), "--drop-interval-ms", "3600000"]
    command = [sys.executable, "-m", "mockbank", "--port", str(port), "--clock", OPENS, "--quiet", *folders]
    with subprocess.Popen([*command, "--drop-settle-ms", "0", *options], cwd=folder) as process:
        try:
            bank = Bank(port, drop, pickup)
            _wait(bank, process)
            yield bank
        finally:
            process.kill()


def _wait(bank: Bank, process: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + _PATIENCE
    while True:
        try:
            bank.ask("GET", "/_mock/health")
        except OSError:
            assert process.poll() is None
            assert time.monotonic() < give_up
            time.sleep(0.02)
        else:
            return
