"""E14, E15's lots, E22 and E23 on the real store: written by the writer, read back from its tables."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.ledger.domain.apply import bucket_of
from services.ledger.domain.entry import OPERATOR, AccountKind, Balance, Counterpart, Entry, Unit
from services.ledger.domain.refusals.awarding import PartnerNetDebitCapExceeded
from services.ledger.domain.refusals.spending import RedemptionLimit
from services.ledger.domain.terms import Policy
from services.ledger.domain.wish import AdjustWish, AwardWish, Line, TransferWish
from services.ledger.store.allowances import Allowances
from services.ledger.store.transfers import Transfers
from shared.instants import micros
from tests.ledger.histories.flows import flows_of
from tests.ledger.store.vault import BUCKETS, PATIENCE, Vault, award, hold, redeem, refund, reverse, wallet_in
from tests.support.vectors import Example, example


def test_e14_the_allowance_holds_at_the_award_and_its_last_point_is_usable(own_vault: Vault) -> None:
    e14 = example("E14")
    given = e14["given"]
    partner, billing = given["partner"], Decimal(given["billing_rate"])
    cap = Decimal(given["net_debit_cap_minor"]).scaleb(-given["currency_exponent"])
    position = Decimal(given["position_exact"])
    allowances = Allowances(own_vault.engine, own_vault.clock, BUCKETS)
    before = own_vault.post(award(wallet_in(1), int(position / billing), partner=partner))
    own_vault.post(award(before.wallet, 10_000, partner="others"))
    awarded, revision = before.points, 0
    for step, then in zip(e14["when"], e14["then"]["steps"], strict=True):
        match step["do"]:
            case "grant_allowance":
                revision += 1
                room = int(((cap - position) / billing).to_integral_value(ROUND_DOWN))
                allowances.set(partner, revision, awarded + room)
            case "award" if "refused" in then:
                wish = award(wallet_in(2), step["points"], partner=step["partner"])
                assert own_vault.refused(wish, PartnerNetDebitCapExceeded).reason == then["refused"]["reason"]
            case "award":
                entry = own_vault.post(award(wallet_in(3), step["points"], partner=step["partner"]))
                awarded, position = awarded + entry.points, position + entry.points * billing
            case "redeem":
                entry = own_vault.post(redeem(before.wallet, step["points"], partner=step["partner"]))
                position -= entry.points * Decimal(given["reimbursement_rate"])
        assert position == Decimal(then["position_exact"])
        if "allowance_points" in then:
            assert allowances.of(partner).remaining == then["allowance_points"]
    own_vault.check()


def test_e15_a_redemption_names_the_issuer_of_every_point(own_vault: Vault) -> None:
    e15 = example("E15")
    given, [step] = e15["given"], e15["when"]
    wallet = wallet_in(4)
    for lot in given["lots"]:
        own_vault.post(award(wallet, lot["points"], partner=lot["issuer"]))
    spent = own_vault.post(redeem(wallet, step["points"], partner=step["partner"]))
    by_issuer = {posting.issuer: posting.points for posting in spent.postings}
    assert by_issuer == {lot["issuer"]: lot["points"] for lot in given["lots"]}

    def minor(points: int, rate: str) -> int:
        return int(points * Decimal(given[rate]).scaleb(given["currency_exponent"]))

    then = e15["then"]
    assert {issuer: minor(points, "redemption_rate") for issuer, points in by_issuer.items()} == then[
        "billed_at_redemption_minor"
    ]
    assert minor(sum(by_issuer.values()), "issuance_rate") == then["billed_at_issuance_minor"]
    assert {given["acceptor"]: minor(spent.points, "reimbursement_rate")} == then["reimbursed_minor"]
    own_vault.check()


def test_e22_a_refusal_offers_the_step_below(own_vault: Vault) -> None:
    e22 = example("E22")
    given = e22["given"]
    policies = {"P": Policy(redemption_step=given["redemption_step"])}
    writer = own_vault.another_writer(policies=lambda: policies)
    wallet = own_vault.post(award(wallet_in(5), given["available"])).wallet
    for step, then in zip(e22["when"], e22["then"]["steps"], strict=True):
        [outcome] = writer.post_all([hold(wallet, step["points"], partner="P")], PATIENCE)
        if "refused" in then:
            assert isinstance(outcome, RedemptionLimit)
            assert {key: outcome.facts[key] for key in then["refused"]["details"]} == then["refused"]["details"]
        balance = own_vault.balance(wallet)
        assert (balance.held, balance.available) == (then.get("held", 0), then["available"])
    own_vault.check()


class Tale:
    """E23: two members in two buckets, and lots by the names that the example gives them."""

    def __init__(self, vault: Vault, e23: Example) -> None:
        self.vault = vault
        self.wallets = {member: wallet_in(2 + n) for n, member in enumerate(e23["given"]["members"])}
        self.transfers = Transfers(vault.engine, vault.writer)
        self.entries: dict[str, Entry] = {}
        self.lots: dict[tuple[int, int, int], str] = {}

    def tell(self, step: dict[str, Any]) -> None:
        self.vault.clock.instant = datetime.combine(date.fromisoformat(step["on"]), time(12), UTC)
        name = step.get("lot") or step.get("id") or str(len(self.entries))
        match step["do"]:
            case "award":
                self.entries[name] = self._posted(self._award(step), name)
            case "adjust":
                self.entries[name] = self._posted(self._adjust(step), name)
            case "reverse":
                self.entries[name] = self.vault.post(
                    reverse(self.entries[step["lot"]], step["points"], partner=self.entries[step["lot"]].partner)
                )
            case "redeem":
                wish = redeem(self.wallets[step["member"]], step["points"], partner=step["partner"])
                self.entries[step["id"]] = self.vault.post(wish)
            case "refund":
                spent = self.entries[step["of"]]
                self.entries[name] = self.vault.post(refund(spent, step["points"], partner=spent.partner))
            case "expire":
                sweeper = self.vault.sweeper()
                for bucket in range(BUCKETS):
                    sweeper.sweep_bucket(bucket)
            case "transfer":
                self._transfer(step)
            case "hold":
                wanted = hold(self.wallets[step["member"]], step["points"], partner=step["partner"])
                self.entries["held"] = self.vault.post(wanted)
            case other:
                raise AssertionError(other)

    def name_of(self, entry: Entry, seq: int, line: int) -> str:
        return self.lots[entry.bucket, seq, line]

    def by_lot(self, entry: Entry) -> dict[str, int]:
        return {self.name_of(entry, *posting.lot): posting.points for posting in entry.postings}

    def _posted(self, wish: AwardWish | AdjustWish, name: str) -> Entry:
        entry = self.vault.post(wish)
        self.lots[entry.bucket, entry.seq, 0] = name
        return entry

    def _award(self, step: dict[str, Any]) -> AwardWish:
        wallet = self.wallets[step["member"]]
        later = micros(self.vault.clock.now() + timedelta(days=365)) if step.get("pending") else None
        line = Line(step["issuer"], step["points"], date.fromisoformat(step["expires"]), available_from=later)
        bucket = bucket_of(wallet, BUCKETS)
        return AwardWish(bucket=bucket, partner=step["issuer"], request_id=uuid4(), wallet=wallet, lines=(line,))

    def _adjust(self, step: dict[str, Any]) -> AdjustWish:
        wallet = self.wallets[step["member"]]
        return AdjustWish(
            bucket=bucket_of(wallet, BUCKETS),
            partner=OPERATOR,
            request_id=uuid4(),
            wallet=wallet,
            issuer=step["issuer"],
            points=step["points"],
            taking=False,
            reason="GOODWILL",
            proposed_by="operator/anna",
            approved_by="operator/ben",
            expires_on=date.fromisoformat(step["expires"]),
        )

    def _transfer(self, step: dict[str, Any]) -> None:
        wallet, to = self.wallets[step["from"]], self.wallets[step["to"]]
        place = Counterpart(bucket_of(to, BUCKETS), to)
        bucket = bucket_of(wallet, BUCKETS)
        wish = TransferWish(
            bucket=bucket, partner="A", request_id=uuid4(), wallet=wallet, to=place, points=step["points"]
        )
        moved = self.transfers.post(wish, PATIENCE)
        self.entries["transfer"], arrival = moved.departure.entry, moved.arrival
        assert arrival is not None
        for posting, origin in zip(arrival.postings, moved.departure.entry.postings, strict=True):
            name = self.name_of(moved.departure.entry, *origin.lot)
            self.lots[arrival.bucket, posting.lot.seq, posting.lot.line] = name


def lots_of(vault: Vault, tale: Tale, wallet: UUID) -> dict[str, int]:
    """What lies in each lot, from the tables."""
    bucket = bucket_of(wallet, BUCKETS)
    with vault.tampering() as connection:
        rows = connection.execute(
            "SELECT seq, line, available + pending + held FROM ledger.lots WHERE bucket = %s AND wallet_id = %s",
            [bucket, wallet],
        ).fetchall()
    return {tale.lots[bucket, seq, line]: points for seq, line, points in rows if points}


@pytest.fixture
def tale(own_vault: Vault) -> Tale:
    e23 = example("E23")
    told = Tale(own_vault, e23)
    for step in e23["when"]:
        told.tell(step)
    return told


def test_e23_points_are_conserved_by_wallet_and_by_issuer(own_vault: Vault, tale: Tale) -> None:
    then = example("E23")["then"]
    journal = [entry for bucket in range(BUCKETS) for entry in own_vault.readers.journal_after(bucket, 0, 1000)]
    sums: Counter[str] = Counter()
    by_issuer: dict[str, int] = defaultdict(int)
    for (flow, unit, issuer), points in flows_of(journal).items():
        assert unit == Unit.POINTS.name
        sums[flow] += points
        by_issuer[issuer] += points * (1 if flow in ("awards", "refunds", "given") else -1)
    flows = then["flows"] | {"given": then["flows"]["adjustments"]}
    assert sums == {flow: points for flow, points in flows.items() if flow != "adjustments"}
    assert by_issuer == then["by_issuer"]
    assert sum(by_issuer.values()) == then["sum"] == own_vault.readers.outstanding()
    for member, expected in then["wallets"].items():
        wallet = tale.wallets[member]
        assert own_vault.balance(wallet) == Balance(**expected)
        assert lots_of(own_vault, tale, wallet) == then["lots"][member]
    own_vault.check()


def test_e23_every_movement_names_its_lots(own_vault: Vault, tale: Tale) -> None:
    then = example("E23")["then"]
    assert tale.by_lot(tale.entries["r1"]) == then["consumed_by_r1"]
    assert tale.by_lot(tale.entries["transfer"]) == then["transferred"]
    assert tale.by_lot(tale.entries["held"]) == then["held_lots"]
    ended = [
        (entry, posting)
        for entry in own_vault.readers.journal_after(bucket_of(tale.wallets["M1"], BUCKETS), 0, 1000)
        for posting in entry.postings
        if posting.credit.kind is AccountKind.EXPIRED
    ]
    assert {tale.name_of(entry, *posting.lot): posting.points for entry, posting in ended} == then["expired"]


def test_e23_a_moved_lot_keeps_issuer_and_expiry(own_vault: Vault, tale: Tale) -> None:
    e23 = example("E23")
    named = {step["lot"]: step for step in e23["when"] if "expires" in step}
    with own_vault.tampering() as connection:
        rows = connection.execute("SELECT bucket, seq, line, issuer, expires_on FROM ledger.lots").fetchall()
    for bucket, seq, line, issuer, expires_on in rows:
        step = named[tale.lots[bucket, seq, line]]
        assert (issuer, expires_on.isoformat()) == (step["issuer"], step["expires"])
