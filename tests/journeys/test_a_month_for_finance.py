"""Finance runs a month by its commands alone: close, net, approve, pay, reconcile, explain, correct, take evidence.

The bank is the test bank, run as the program that it is; every step is `coalition settle`, as a person would type it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import pytest
from coalition.settlement.v1 import batches_pb2, corrections_pb2, payments_pb2, proofs_pb2, reports_pb2
from coalition.statements.onefile import source
from coalition.statements.pack import verify_pack
from coalition.statements.verify import public_key

from services.sandbox.keys import keys_of
from shared.merkle import is_included, leaf_hash
from tests.journeys.story import SECONDS, Story, books, fresh_id, version, yesterday
from tests.settlement.accounts import german
from tests.settlement.bank import Bank, bank_in
from tests.settlement.reconciling.papers import statement
from tests.statements.every_byte import Keys, missed
from tests.support.platform import RunningPlatform, platform_in
from tests.support.refused import Refused
from tests.support.vectors import example

CLEARING, ALPHA, BETA = german(1), german(2), german(3)
DONE, NEEDS_A_PERSON, BLOCKED = 0, 3, 4
Facts = dict[str, Any]
T = TypeVar("T")


@dataclass
class Month:
    """Everything that a test looks at afterwards."""

    story: Story
    bank: Bank
    pack: bytes = b""
    facts: dict[str, Facts] = field(default_factory=dict)
    entry: str = ""

    @property
    def platform(self) -> RunningPlatform:
        return self.story.platform

    def settle(self, *words: str, code: int = DONE, person: str = "local") -> Facts:
        """One command of finance; its answer."""
        home = ["--home", str(self.platform.home.root), "--output", "json", "--as", person]
        ran = subprocess.run(
            [sys.executable, "-m", "services.cli.main", "settle", *words, *home],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert ran.returncode == code, (words, ran.returncode, ran.stdout, ran.stderr)
        found: Facts = json.loads(ran.stdout) if ran.stdout else {"refused": ran.stderr}
        return found

    def decided(self, facts: Facts) -> None:
        """The colleague reads what was proposed, and approves exactly that."""
        name = facts["proposal"].replace("proposals/", "P")
        read = self.settle("proposals", name, code=NEEDS_A_PERSON, person="colleague")
        self.settle("approve", name, "--sha256", read["sha256"], person="colleague")

    def hear(self, kind: str, tmp: Path, *, code: int = DONE) -> list[Facts]:
        """Import all that the bank has said of a kind about the clearing account."""
        answers = []
        for at, content in enumerate(self.bank.said("CLEARING", kind)):
            file = tmp / f"{kind}-{at}.xml"
            file.write_bytes(content)
            answers.append(self.settle("bank", "import", str(file), code=code))
        return answers


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Month]:
    """Alpha awards 50,000 points; 20,000 are spent at beta's; all is closed, netted, paid and booked.

    On a platform of its own: `settle` takes everything that waits, whoever left it there.
    """
    folder = tmp_path_factory.mktemp("bank")
    with platform_in(tmp_path_factory.mktemp("month")) as platform, bank_in(folder) as bank:
        yield _settled(Month(Story(platform), bank), folder)


def _settled(one: Month, folder: Path) -> Month:
    story, platform = one.story, one.platform
    for letter in ("A", "B"):
        story.join(letter, version(yesterday(platform), "EUR", issuance="0.012", reimbursement="0.009"))
    one.bank.holds("CLEARING", CLEARING, balance=100_000_00)
    one.bank.holds("BETA", BETA)
    _account(platform, "operator", CLEARING, clearing=True)
    _account(platform, story.partners["A"].id, ALPHA)
    _account(platform, story.partners["B"].id, BETA)
    platform.clock.move(timedelta(days=4))  # new accounts cool off
    awarded = story.award("A", 50_000)
    one.entry = awarded.name.rpartition("/")[2]
    story.redeem("B", 20_000)
    one.facts["closed"] = one.settle("close")
    one.facts["run"] = one.settle("run", code=NEEDS_A_PERSON)
    batch, sha256 = one.facts["run"]["batch"].replace("batches/", "B"), one.facts["run"]["sha256"]
    one.facts["own"] = one.settle("approve", batch, "--sha256", sha256, code=1)
    one.facts["approved"] = one.settle("approve", batch, "--sha256", sha256, code=NEEDS_A_PERSON, person="colleague")
    one.facts["released"] = one.settle("release", batch)
    one.facts["waiting"] = one.settle("entry", one.entry.replace("-", ":"))
    _pay(one, folder)
    one.facts["entry"] = one.settle("entry", one.entry.replace("-", ":"))
    file = folder / "pack.zip"
    one.facts["pack"] = one.settle("pack", batch, "--to", str(file))
    one.pack = file.read_bytes()
    one.settle("pack", batch, "--to", str(file))
    assert file.read_bytes() == one.pack
    return one


def _pay(one: Month, folder: Path) -> None:
    """The collection comes in; that funds the payment, which goes out; the bank says so day by day."""
    story = one.story
    payments = one.platform.operator.payments
    request = payments_pb2.ListInstructionsRequest(parent=one.facts["run"]["batch"])
    [collected] = [it for it in payments.ListInstructions(request, timeout=SECONDS).instructions if it.reference]
    assert collected.partner == story.partners["A"].id
    one.bank.credit("CLEARING", 600_00, reference=collected.reference, debtor={"name": "Alpha"})
    one.bank.advance(1)
    for at, content in enumerate(one.bank.said("CLEARING", "camt.053")):
        (folder / f"foreign-{at}.xml").write_bytes(content)
        one.facts["foreign"] = one.settle(
            "bank", "import", str(folder / f"foreign-{at}.xml"), "--batch", "B999", code=1
        )
    one.hear("camt.053", folder)
    one.platform.clock.move(timedelta(minutes=2))  # what waits for funding is looked at every minute
    file = _eventually(lambda: next(one.platform.home.bank.glob("*.xml"), None))
    (one.bank.drop / file.name).write_bytes(file.read_bytes())
    one.bank.scan()
    one.hear("pain.002", folder)
    one.bank.advance(3)
    one.hear("camt.053", folder)
    for _ in range(70):  # until nothing can come back any more
        one.platform.clock.move(timedelta(days=1))
    batch = one.facts["run"]["batch"].replace("batches/", "B")
    _eventually(lambda: one.settle("explain", batch, story.partners["B"].id) and _settled_state(one))


def _settled_state(one: Month) -> bool:
    request = batches_pb2.GetBatchRequest(name=one.facts["run"]["batch"])
    return one.platform.operator.batches.GetBatch(request, timeout=SECONDS).state == batches_pb2.BATCH_STATE_SETTLED


def _eventually(look: Callable[[], T | None]) -> T:
    """What a worker of the service does soon."""
    give_up = time.monotonic() + 60
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < give_up
        time.sleep(0.1)


def _account(platform: RunningPlatform, owner: str, iban: str, *, clearing: bool = False) -> None:
    account = payments_pb2.BankAccount(
        clearing=clearing, currency="EUR", holder=f"The {owner}", iban=iban, bic="MOCKDEFF"
    )
    request = payments_pb2.AddBankAccountRequest(
        parent=f"partners/{owner}", request_id=fresh_id(), bank_account=account
    )
    entered = platform.operator.bank_accounts.AddBankAccount(request, timeout=SECONDS)
    platform.approve(entered.proposal)
    verify = payments_pb2.VerifyBankAccountRequest(
        name=entered.name, request_id=fresh_id(), channel=payments_pb2.VERIFICATION_CHANNEL_PHONE, note="called back"
    )
    platform.colleague.bank_accounts.VerifyBankAccount(verify, timeout=SECONDS)


def test_each_command_says_what_comes_next(month: Month) -> None:
    assert month.facts["closed"]["next"] == "coalition settle run"
    assert "another person: coalition settle approve" in month.facts["run"]["next"]
    assert "settle release" in month.facts["approved"]["next"]


def test_nobody_approves_what_is_their_own(month: Month) -> None:
    assert "another person" in month.facts["own"]["refused"]


def test_the_netting_is_shown_three_ways_with_what_each_saves(month: Month) -> None:
    models = {one["model"]: one for one in month.facts["run"]["models"]}
    assert models.keys() == {"MULTILATERAL", "BILATERAL", "CYCLES_ONLY"}
    paid = sorted(month.facts["run"]["payments"], key=lambda one: str(one["do"]))
    assert paid == [
        {"partner": month.story.partners["A"].id, "do": "COLLECT", "amount": "600.00 EUR"},
        {"partner": month.story.partners["B"].id, "do": "PAY", "amount": "180.00 EUR"},
    ]


def test_a_chain_that_does_not_close_yet_says_where_it_waits(month: Month) -> None:
    assert month.facts["waiting"]["waits for"].startswith("PAYMENT: batches/")


def test_an_entry_leads_to_the_bank_line_and_back(month: Month) -> None:
    found = month.facts["entry"]
    [owed] = found["obligations"]
    assert owed["exact"] == "600 EUR"
    assert owed["share"] == "600.00 EUR"
    [paid] = found["payments"]
    assert paid["bank line"]
    assert found["waits for"] == ""
    back = month.platform.operator.proofs.ExplainBankLine(
        proofs_pb2.ExplainBankLineRequest(name=paid["bank line"]), timeout=SECONDS
    )
    assert [one.instruction for one in back.payments] == [paid["instruction"]]
    number = month.facts["closed"]["window"].removeprefix("windows/")
    assert f"partners/{month.story.partners['A'].id}/statements/{number}" in back.statements


def test_a_partner_proves_that_its_entry_is_in_its_statement(month: Month) -> None:
    partner = month.story.partners["A"]
    line = month.facts["entry"]["obligations"][0]["line"]
    statement, _, number = line.partition(" line ")
    for entry in ("", f"entries/{month.entry}"):
        proof = partner.calls.proofs.GetInclusionProof(
            proofs_pb2.GetInclusionProofRequest(statement=statement, line=int(number), entry=entry), timeout=SECONDS
        )
        assert is_included(leaf_hash(proof.leaf), proof.index, proof.size, proof.path, proof.root)


def test_the_pack_holds_on_a_machine_without_the_platform(month: Month, tmp_path: Path) -> None:
    keys = keys_of(month.platform.home)
    (tmp_path / "verify.py").write_bytes(source())
    (tmp_path / "pack.zip").write_bytes(month.pack)
    files = ["--key", str(keys.operator_public), "--checkpoint-key", str(keys.checkpoint_public)]
    command = [sys.executable, "-I", "verify.py", "pack.zip", *files]
    ran = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("verified: batch ")


def test_one_changed_byte_anywhere_in_the_pack_is_refused(month: Month) -> None:
    """All of them: `python -m tests.statements.every_byte`."""
    keys = Keys(public_key(keys_of(month.platform.home).operator_public.read_bytes()))
    verify_pack(BytesIO(month.pack), *keys)
    assert missed(month.pack, keys, range(0, len(month.pack), max(1, len(month.pack) // 400))) == []


def test_e19_a_dispute_upheld_by_half_is_a_line_in_the_next_window_and_closed_bytes_stay(month: Month) -> None:
    e19 = example("E19")
    given_, then = e19["given"]["disputed_line"], e19["then"]["adjustment"]
    story, partner = month.story, month.story.partners["B"]
    story.award("A", 5_000)
    story.redeem("B", given_["points"])
    window = month.platform.close_window()
    before = books(partner, window)
    [disputed] = before.lines
    assert (disputed["points"], disputed["booked_minor"]) == (given_["points"], given_["amount_minor"])
    name = f"{partner.name}/statements/{window.name.removeprefix('windows/')}"
    opened = partner.calls.corrections.OpenDispute(_objection(name, given_["points"]), timeout=SECONDS)
    upheld = str(int(given_["points"] * Fraction(e19["when"][1]["share"])))
    answered = month.settle("dispute", opened.name, "--uphold", upheld, "--why", "half of it", code=NEEDS_A_PERSON)
    adjustment = month.platform.operator.corrections.GetAdjustment(
        corrections_pb2.GetAdjustmentRequest(name=answered["adjustment"]), timeout=SECONDS
    )
    month.decided({"proposal": adjustment.proposal})
    assert month.settle("dispute", opened.name)["state"] == "CLOSED"
    following = month.platform.close_window()
    windows = {e19["given"]["closed_window"]: window, e19["given"]["open_window"]: following}
    assert (windows[then["refers_to"]], windows[then["window"]]) == (window, following)
    assert windows[given_["window"]] == windows[e19["when"][0]["line_of"]] == window
    [line] = books(partner, windows[e19["when"][2]["window"]]).lines
    assert (line["leg"], disputed["leg"]) == (then["direction"], given_["direction"])
    assert (line["subject"], line["points"]) == (answered["adjustment"], then["points"])
    assert (line["rate"], line["booked_minor"]) == (then["rate"], then["net_minor"])
    assert (books(partner, window).content == before.content) is e19["then"]["w1_bytes_unchanged"]
    every = corrections_pb2.ListDisputesRequest()
    own, others = (story.partners[it].calls.corrections.ListDisputes(every, timeout=SECONDS).disputes for it in "BA")
    assert opened.name in {one.name for one in own}
    assert not [one for one in others if not one.statement.startswith(f"{story.partners['A'].name}/")]


def test_scenario_35_a_dispute_on_a_line_of_an_approved_batch_is_adjusted_later_or_the_batch_is_recalled(
    month: Month,
) -> None:
    story, partner = month.story, month.story.partners["A"]
    story.award("A", 2_000)
    window = month.platform.close_window()
    number = window.name.removeprefix("windows/")
    made = month.settle("run", "--window", f"W{number}", code=NEEDS_A_PERSON)
    batch = made["batch"].replace("batches/", "B")
    month.settle("approve", batch, "--sha256", made["sha256"], code=NEEDS_A_PERSON, person="colleague")
    objection = _objection(f"{partner.name}/statements/{number}", -500)
    opened = partner.calls.corrections.OpenDispute(objection, timeout=SECONDS)
    answered = month.settle("dispute", opened.name, "--uphold", "-500", "--why", "a slip", code=NEEDS_A_PERSON)
    adjustment = month.platform.operator.corrections.GetAdjustment(
        corrections_pb2.GetAdjustmentRequest(name=answered["adjustment"]), timeout=SECONDS
    )
    month.decided({"proposal": adjustment.proposal})
    still = month.settle("run", "--batch", batch, code=NEEDS_A_PERSON)
    assert (still["state"], still["sha256"]) == ("APPROVED", made["sha256"])
    corrected = [one for one in books(partner, month.platform.close_window()).lines if one.get("subject")]
    assert [(one["subject"], one["points"]) for one in corrected] == [(answered["adjustment"], -500)]
    recalled = month.settle("revise", batch, "--why", "recalled before release")
    assert (recalled["state"], recalled["revision"]) == ("DRAFT", made["revision"] + 1)
    again = month.settle("approve", batch, "--sha256", made["sha256"], code=1, person="ben")
    assert "coalition:" in again["refused"]


def test_an_objection_comes_in_time_or_not_at_all(month: Month) -> None:
    partner = month.story.partners["B"]
    name = f"{partner.name}/statements/{month.facts['closed']['window'].removeprefix('windows/')}"
    refused = Refused.of(lambda: partner.calls.corrections.OpenDispute(_objection(name, 1), timeout=SECONDS))
    assert (refused.code.name, refused.reason) == ("FAILED_PRECONDITION", "DISPUTE_TOO_LATE")
    stranger = month.story.partners["A"].calls.corrections
    unseen = Refused.of(lambda: stranger.OpenDispute(_objection(name, 1), timeout=SECONDS))
    assert (unseen.code.name, unseen.reason) == ("NOT_FOUND", "STATEMENT_NOT_FOUND")


def test_a_file_that_moves_another_batch_than_the_one_named_is_refused_and_then_taken_without_a_name(
    month: Month,
) -> None:
    """F01: the refused import left nothing, or the month's own import of the same file would have moved nothing."""
    batch = month.facts["run"]["batch"]
    assert f"is about {batch}, not about batches/999 alone" in month.facts["foreign"]["refused"]


def test_a_statement_that_does_not_follow_is_refused_and_leaves_one_break_for_a_person(
    month: Month, tmp_path: Path
) -> None:
    file = tmp_path / "gap.xml"
    file.write_bytes(statement(CLEARING, month.platform.clock.now().date(), [], number=999, opening=1))
    for _ in range(2):
        refused = month.settle("bank", "import", str(file), code=1)["refused"]
        assert "does not follow" in refused
        assert CLEARING not in refused
    gaps = [one for one in month.settle("breaks", code=NEEDS_A_PERSON)["breaks"] if one["reason"] == "STATEMENT_GAP"]
    assert len(gaps) == 1
    asked = month.settle("breaks", gaps[0]["break"], "--explain", "asked the bank", code=NEEDS_A_PERSON)
    assert (asked["state"], asked["explanation"]) == ("EXPLAINED", "asked the bank")


def test_the_books_balance_and_the_clearing_account_is_the_banks(month: Month) -> None:
    closed = month.facts["closed"]["window"]
    request = reports_pb2.ExportBooksRequest(
        first_window=closed, last_window=closed, account_codes={"partner/*": "1400", "clearing": "1200"}
    )
    reports = month.platform.operator.reports
    content = b"".join(one.piece for one in reports.ExportBooks(request, timeout=SECONDS)).decode()
    header, *rows, end = (line.split(",") for line in content.splitlines())
    entries = [dict(zip(header, row, strict=True)) for row in rows]
    assert end[:2] == ["END", str(len(entries))]
    on_clearing = sum(
        Decimal(one["amount"]) * (1 if one["debit"] == "1200" else -1)
        for one in entries
        if "1200" in (one["debit"], one["credit"])
    )
    assert on_clearing == Decimal("600.00") - Decimal("180.00")
    assert {one["credit"] for one in entries if one["debit"] == "1200"} == {"1400"}


def test_ledger_statements_and_bank_agree_for_each_partner(month: Month) -> None:
    request = reports_pb2.GetReconciliationRequest(batch=month.facts["run"]["batch"])
    found = month.platform.operator.reports.GetReconciliation(request, timeout=SECONDS)
    assert found.break_count == 0
    assert all(one.ledger_entries == one.counted_entries > 0 for one in found.windows)
    assert {one.partner: one.booked.units for one in found.partners} == {
        month.story.partners["A"].id: -600,
        month.story.partners["B"].id: 180,
    }
    assert all(one.stated == one.instructed == one.booked for one in found.partners)
    assert not any(one.open.units or one.open.nanos for one in found.partners)


def test_the_liability_rolls_forward_by_issuer_and_month_to_what_the_ledger_holds(month: Month) -> None:
    closed = month.facts["closed"]["window"]
    request = reports_pb2.GetLiabilityRequest(window=closed)
    *_, report = month.platform.operator.reports.GetLiability(request, timeout=SECONDS)
    [vintage] = [one for one in report.vintages if one.issuer == month.story.partners["A"].id]
    assert (vintage.month, vintage.opening, vintage.awarded, vintage.redeemed) == (202601, 0, 50_000, -20_000)
    assert vintage.closing == 30_000


def test_everything_that_was_closed_can_be_calculated_again(month: Month) -> None:
    closed = month.facts["closed"]["window"].replace("windows/", "W")
    assert month.settle("replay", f"W1..{closed}")["same"]
    assert month.settle("verify", closed)["verified"]


def _objection(statement: str, points: int) -> corrections_pb2.OpenDisputeRequest:
    dispute = corrections_pb2.Dispute(
        statement=statement,
        line=1,
        points=points,
        reason=corrections_pb2.DISPUTE_REASON_MISSING_AWARD,
        description="These are missing.",
    )
    return corrections_pb2.OpenDisputeRequest(request_id=fresh_id(), dispute=dispute)
