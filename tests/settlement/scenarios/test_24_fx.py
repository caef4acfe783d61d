"""24: an FX quote that is missing, stale, zero or inverted. The batch stays DRAFT."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Connection

from services.settlement.domain.batch.conversion import FxIncomplete
from services.settlement.domain.fx import FxQuoteInverted, FxQuoteRefused, FxSet, FxSetStale
from services.settlement.domain.proposal import Kind
from services.settlement.store import proposals, reference
from services.settlement.store.batches.rows import Batch
from shared.refusal import Refusal
from tests.settlement.clerk import ANNA, Clerk, terms

TODAY = date(2026, 3, 2)
GOOD = {"EUR": "1", "JPY": "162.40", "USD": "1.0850"}


def load(clerk: Clerk, name: str, quotes: Mapping[str, str], day: date = TODAY) -> None:
    """Anna loads it, Ben approves."""
    one = FxSet(f"fxSets/{name}", day, "EUR", "a test", {code: Decimal(quote) for code, quote in quotes.items()})

    def propose(connection: Connection) -> str:
        reference.check(connection, Kind.FX_SET, one.name, one.content())
        return proposals.propose(connection, Kind.FX_SET, one.name, one.content(), ANNA, clerk.clock.now()).name

    clerk.approve(clerk.do(propose))


def draft(clerk: Clerk) -> Batch:
    """`a` owes `b` 10,000 yen; both are paid in euro."""
    for partner in ("a", "b"):
        clerk.agrees(partner, terms("JPY", settlement_currency="EUR"))
    clerk.ready("a", "b")
    return clerk.create(clerk.window([("a", "b", 10_000, "JPY")]))


def stays_draft(clerk: Clerk, batch: Batch, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        clerk.calculate(batch)
    assert clerk.batch(batch.name).state == "DRAFT"
    assert clerk.rows("SELECT count(*) FROM settlement.instructions") == [(0,)]


def test_without_a_set_and_without_its_quote_nothing_is_calculated(clerk: Clerk) -> None:
    batch = draft(clerk)
    stays_draft(clerk, batch, FxIncomplete)
    load(clerk, "no-yen", {"EUR": "1", "USD": "1.0850"})
    stays_draft(clerk, batch, FxIncomplete)
    load(clerk, "whole", GOOD)
    assert clerk.calculate(batch).state == "CALCULATED"


def test_a_stale_set_prices_nothing(clerk: Clerk) -> None:
    load(clerk, "old", GOOD, TODAY - timedelta(days=6))
    stays_draft(clerk, draft(clerk), FxSetStale)


@pytest.mark.parametrize(
    ("quotes", "refusal"),
    [
        ({**GOOD, "JPY": "0"}, FxQuoteRefused),
        ({**GOOD, "JPY": "-162.40"}, FxQuoteRefused),
        ({**GOOD, "JPY": "0.006157635468"}, FxQuoteInverted),
        ({**GOOD, "USD": "0.9216"}, FxQuoteInverted),
    ],
    ids=["zero", "negative", "inverted", "inverted though near to one"],
)
def test_a_set_that_cannot_be_is_never_in_force(
    clerk: Clerk, quotes: Mapping[str, str], refusal: type[Refusal]
) -> None:
    load(clerk, "before", GOOD, TODAY - timedelta(days=10))
    with pytest.raises(refusal):
        load(clerk, "wrong", quotes)
    stays_draft(clerk, draft(clerk), FxSetStale)


def test_both_currencies_still_add_up_to_nothing_and_the_rest_is_explained(clerk: Clerk) -> None:
    load(clerk, "whole", GOOD)
    batch = clerk.calculate(draft(clerk))
    fx = clerk.document(batch)["fx"]
    assert isinstance(fx, dict)
    assert fx["set"] == "fxSets/whole"
    # 10000 / 162.40 = 61.576..., once for each of the two
    assert [one[:5] for one in fx["conversions"]] == [
        ["a", "JPY", -10_000, "EUR", -6158],
        ["b", "JPY", 10_000, "EUR", 6158],
    ]
