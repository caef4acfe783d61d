"""What-if: answered with differences per partner, and nothing is written."""

from __future__ import annotations

from services.settlement.domain.batch import Do
from services.settlement.domain.netting import Model
from services.settlement.domain.terms import Cover
from services.settlement.store.batches import rows
from services.settlement.store.caps import Cap
from services.settlement.store.simulation import Ended, Simulated, WhatIf, imagined, simulate
from shared.money import Rate
from tests.settlement.clerk import Clerk, terms

OWED = [("a", "b", 6_000), ("a", "c", 4_000), ("b", "d", 3_000), ("c", "d", 1_000)]


def asked(clerk: Clerk, number: int, what: WhatIf) -> Simulated:
    with clerk.sessions.snapshot(20) as connection:
        return simulate(connection, imagined(Model.MULTILATERAL, clerk.clock.now()), [number], what)


def test_nothing_otherwise_makes_no_difference_and_no_row(clerk: Clerk) -> None:
    number = clerk.window(OWED)
    before = clerk.rows("SELECT (SELECT count(*) FROM settlement.batches), (SELECT count(*) FROM settlement.openings)")
    found = asked(clerk, number, WhatIf())
    assert found.before == found.after
    assert found.after["a", "EUR"] == Ended(-10_000, Do.COLLECT)
    assert (
        clerk.rows("SELECT (SELECT count(*) FROM settlement.batches), (SELECT count(*) FROM settlement.openings)")
        == before
    )


def test_other_rates_models_and_caps_answer_with_what_they_would_change(clerk: Clerk) -> None:
    clerk.ready("a", "b", "c", "d")
    batch = clerk.calculate(clerk.create(clerk.window(OWED)))
    what = WhatIf(
        netting=Model.BILATERAL,
        rates={("a", "REDEMPTION"): Rate.of("0.02")},
        caps={"a": Cap("a", "EUR", 9_999)},
    )
    with clerk.sessions.snapshot(20) as connection:
        found = simulate(connection, rows.found(connection, batch.name), [], what)
    assert found.before["a", "EUR"] == Ended(-10_000, Do.COLLECT)
    assert "a" not in {partner for (partner, _), end in found.after.items() if end.do is Do.COLLECT}
    assert {(one.payer, one.payee, one.amount_minor) for one in found.calculation.between["EUR"]} == {
        ("a", "b", 12_000),
        ("a", "c", 8_000),
        ("b", "d", 3_000),
        ("c", "d", 1_000),
    }
    with clerk.sessions.snapshot(20) as connection:
        capped = simulate(connection, rows.found(connection, batch.name), [], WhatIf(caps=what.caps))
    assert [(one.name, one.detail) for one in capped.conditions] == [
        ("CAP_BREACH", "a owes 100 EUR, its cap is 99.99 EUR")
    ]


def test_the_default_of_the_largest_debtor_runs_down_its_order(clerk: Clerk) -> None:
    clerk.agrees("a", terms(collateral_minor=3_000))
    number = clerk.window(OWED)
    found = asked(clerk, number, WhatIf(default_of_largest=1))
    shares = [(one.defaulter, one.share.cover, one.share.bearer, one.share.minor) for one in found.borne]
    # 70.00 are left after the collateral: B was billed 30.00, C 10.00, and each waits for 30.00; the rest is D's.
    assert shares == [
        ("a", Cover.COLLATERAL, "@collateral", 3_000),
        ("a", Cover.SURVIVORS, "b", 3_000),
        ("a", Cover.SURVIVORS, "c", 3_000),
        ("a", Cover.SURVIVORS, "d", 1_000),
    ]
    assert {key: end.minor for key, end in found.after.items()} == {
        ("a", "EUR"): 0,
        ("b", "EUR"): 0,
        ("c", "EUR"): 0,
        ("d", "EUR"): 3_000,
    }
