"""What a wallet holds: now, at a moment that was recorded, and when it ends."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

from services.ledger.domain.entry import Balance, Unit
from services.ledger.domain.wish import AwardWish, Line
from shared.instants import micros
from tests.ledger.store.vault import GROCER, Vault, award, hold, redeem, wallet_in


def test_a_wallet_that_was_never_used_holds_nothing(vault: Vault) -> None:
    stranger, now = wallet_in(3), vault.clock.now()
    assert vault.balances.now(3, stranger) == vault.balances.as_of(3, stranger, micros(now)) == {}
    assert vault.balances.expiry_dates(3, stranger, vault.programme.moment(now)) == {}


def test_a_past_balance_is_what_the_last_entry_of_its_unit_left(own_vault: Vault) -> None:
    """Also where the unit stood beside another one in its last entry."""
    wallet, moments = wallet_in(3), []
    lines = (Line(GROCER, 10), Line(GROCER, 4, unit=Unit.STAMPS))
    for wish in (
        award(wallet, 100),
        AwardWish(bucket=3, partner=GROCER, request_id=uuid4(), wallet=wallet, lines=lines),
        redeem(wallet, 30),
    ):
        moments.append(own_vault.post(wish).posted_at)
        own_vault.clock.pass_by(hours=1)
    points, stamps = Unit.POINTS, {Unit.STAMPS: Balance(4)}
    as_of = own_vault.balances.as_of
    assert as_of(3, wallet, moments[0] - 1) == {}
    assert as_of(3, wallet, moments[1] - 1) == {points: Balance(100)}
    assert as_of(3, wallet, moments[2] - 1) == {points: Balance(110)} | stamps
    assert as_of(3, wallet, moments[2]) == own_vault.balances.now(3, wallet) == {points: Balance(80)} | stamps


def test_points_are_listed_under_their_last_day_whether_they_are_free_or_held(own_vault: Vault) -> None:
    wallet, day = wallet_in(3), date(2027, 6, 15)
    for points, until in ((10, day), (5, day - timedelta(days=30)), (7, day)):
        own_vault.post(award(wallet, points, until=until))
    own_vault.post(redeem(wallet, 2))
    own_vault.post(hold(wallet, 4))
    now = own_vault.programme.moment(own_vault.clock.now())
    dates = own_vault.balances.expiry_dates(3, wallet, now)
    assert list(dates.items()) == [
        ((Unit.POINTS, day - timedelta(days=30)), Balance(0, 0, 3)),
        ((Unit.POINTS, day), Balance(16, 0, 1)),
    ]
