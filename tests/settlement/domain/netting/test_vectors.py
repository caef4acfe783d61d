"""The models on the worked examples: what is paid, what moves, what is saved, to the minor unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

import pytest

from services.settlement.domain.netting import (
    Pair,
    Pairs,
    Payment,
    SetOffRefuted,
    Shown,
    bilateral,
    check,
    cycles_only,
    gross,
    multilateral,
    nets,
    pairs_of,
    partner_to_partner,
    value,
)
from services.settlement.domain.netting.models import CLEARING
from services.settlement.formats.solver import largest_set_off
from shared.canonical import canonical
from tests.support.vectors import example

FILE = "settlement.json"
WINDOWS = [
    (id_, window)
    for id_ in ("G2", "S1", "S2", "S3", "S4", "S5", "S6")
    for window in example(id_, FILE)["then"]["windows"]
]


def matrix(lines: Iterable[Mapping[str, Any]]) -> Pairs:
    return pairs_of((line["debtor"], line["creditor"], line["booked_minor"]) for line in lines)


def written(payments: Iterable[Payment]) -> list[dict[str, object]]:
    """As the vectors write them: to and from the clearing account, or from one to another."""
    found: list[dict[str, object]] = []
    for payer, payee, amount in payments:
        if payee == CLEARING:
            found.append({"do": "COLLECT", "partner": payer, "amount_minor": amount})
        elif payer == CLEARING:
            found.append({"do": "PAY", "partner": payee, "amount_minor": amount})
        else:
            found.append({"from": payer, "to": payee, "amount_minor": amount})
    return found


def models(pairs: Pairs) -> dict[str, Shown]:
    shown = (multilateral(pairs), bilateral(pairs), cycles_only(pairs, largest_set_off(pairs)))
    return {one.model.value: one for one in shown}


@pytest.mark.parametrize("id_", ["G1", "S2"])
def test_every_model_pays_what_the_example_says(id_: str) -> None:
    then = example(id_, FILE)["then"]
    lines = then["lines"] if "lines" in then else then["windows"]["W1"]["lines"]
    pairs = matrix(lines)
    assert gross(pairs) == then["gross_minor"]
    for model, shown in models(pairs).items():
        expected = then["models"][model]
        assert written(shown.payments) == expected["payments"]
        assert (shown.moved_minor, shown.saving) == (expected["moved_minor"], expected["saving_percent"])
        assert len(shown.payments) == expected.get("payment_count", len(shown.payments))


@pytest.mark.parametrize(("id_", "window"), WINDOWS)
def test_the_nets_of_every_example_follow_from_its_lines(id_: str, window: str) -> None:
    then = example(id_, FILE)["then"]["windows"][window]
    found = nets(matrix(then["lines"]))
    assert {name: found.get(name, 0) for name in then["net_minor"]} == then["net_minor"]
    assert sum(found.values()) == 0


@pytest.mark.parametrize(("id_", "window"), [pair for pair in WINDOWS if pair[0] in {"G2", "S4", "S5"}])
def test_multilateral_payments_are_the_nets(id_: str, window: str) -> None:
    then = example(id_, FILE)["then"]
    expected = then["windows"][window].get("payments") or then["payments"]
    assert written(multilateral(matrix(then["windows"][window]["lines"])).payments) == expected


@pytest.mark.parametrize("id_", ["G1", "S1", "S2", "S4", "S5"])
def test_the_canonical_window_is_these_bytes(id_: str) -> None:
    then = example(id_, FILE)["then"]
    lines = then["lines"] if "lines" in then else then["windows"]["W1"]["lines"]
    named = sorted({name for line in lines for name in (line["debtor"], line["creditor"])})
    found = nets(matrix(lines))
    document = {
        "ccy": example(id_, FILE)["given"]["currency"],
        "lines": [[line["debtor"], line["creditor"], line["points"], line["booked_minor"]] for line in lines],
        "net": {name: found.get(name, 0) for name in named},
        "window": "W1",
    }
    content = canonical(document)
    assert content.decode() == then["canonical"]["json"]
    assert sha256(content).hexdigest() == then["canonical"]["sha256"]


def test_nothing_owed_saves_nothing_that_could_be_named() -> None:
    assert {one.saving for one in models({}).values()} == {example("S1", FILE)["then"]["saving_percent"]} == {None}


def test_g1_without_a_clearing_account_takes_two_payments() -> None:
    then = example("G1", FILE)["then"]
    expected = then["partner_to_partner"]
    found = partner_to_partner(then["net_minor"])
    assert written(found) == expected["payments"]
    assert len(found) == expected["minimum_payment_count"]


def test_setting_off_pairs_first_is_refuted() -> None:
    """It leaves 13 807 to be paid, the optimum 13 108."""
    pairs = matrix(example("G1", FILE)["then"]["lines"])
    left = {Pair(one.payer, one.payee): one.amount_minor for one in bilateral(pairs).payments}
    around = min(left.values())
    assert sum(left.values()) - 3 * around == 13_807
    left = {pair: minor - around for pair, minor in left.items()}
    set_off = {pair: minor - left.get(pair, 0) for pair, minor in pairs.items() if minor > left.get(pair, 0)}
    assert gross(pairs) - value(set_off) == 13_807
    with pytest.raises(SetOffRefuted, match="more could be set off"):
        check(pairs, set_off, value(set_off))
