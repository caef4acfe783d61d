"""What holds in every network, over 20,000 of them."""

from __future__ import annotations

from collections import Counter

import pytest

from services.settlement.domain.netting import (
    Pair,
    Payment,
    SetOffRefuted,
    bilateral,
    check,
    cycles_only,
    gross,
    multilateral,
    nets,
    partner_to_partner,
    value,
)
from services.settlement.domain.netting.models import CLEARING
from services.settlement.formats.solver import largest_set_off
from tests.settlement.networks import matrices


def left_by(payments: tuple[Payment, ...] | list[Payment]) -> dict[str, int]:
    """What each participant got (+) or paid (-), without the clearing account and without zeros."""
    found: Counter[str] = Counter()
    for payer, payee, amount in payments:
        assert amount > 0
        found[payer] -= amount
        found[payee] += amount
    assert found.pop(CLEARING, 0) == 0
    return {name: minor for name, minor in found.items() if minor}


def test_every_model_leaves_every_net_as_it_is_and_moves_no_more_than_is_owed() -> None:
    seen = 0
    for pairs in matrices():
        found = nets(pairs)
        expected = {name: net for name, net in found.items() if net}
        assert sum(found.values()) == 0
        direct = partner_to_partner(found)
        assert left_by(direct) == expected
        assert len(direct) <= max(0, len(expected) - 1)
        set_off = largest_set_off(pairs)
        check(pairs, set_off, value(set_off))
        shown = [multilateral(pairs), bilateral(pairs), cycles_only(pairs, set_off)]
        for one in shown:
            assert left_by(one.payments) == expected
            assert one.moved_minor <= gross(pairs)
        assert shown[0].moved_minor <= shown[2].moved_minor <= shown[1].moved_minor
        for payer, payee, amount in shown[2].payments:
            assert amount <= pairs[Pair(payer, payee)]
        seen += 1
    assert seen >= 20_000


def test_a_set_off_that_is_not_the_recorded_one_is_refuted() -> None:
    pairs = {Pair("a", "b"): 5, Pair("b", "c"): 4, Pair("c", "a"): 3}
    good = dict.fromkeys(pairs, 3)
    check(pairs, good, 9)
    for bad, recorded, why in [
        ({}, 0, "more could be set off"),
        (dict.fromkeys(pairs, 2), 6, "more could be set off"),
        (good | {Pair("c", "a"): 4}, 10, "4 set off of 3"),
        (good | {Pair("a", "b"): 4}, 10, "the nets of a, b"),
        (good | {Pair("a", "c"): 1}, 10, "1 set off of 0"),
        (good | {Pair("a", "b"): 0}, 6, "0 set off of 5"),
        (good, 8, "recorded are 8"),
    ]:
        with pytest.raises(SetOffRefuted, match=why):
            check(pairs, bad, recorded)


def test_nets_that_do_not_add_up_are_no_nets() -> None:
    with pytest.raises(ValueError, match="zero"):
        partner_to_partner({"a": 1})
