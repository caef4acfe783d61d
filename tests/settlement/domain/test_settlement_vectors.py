"""The worked examples of settlement.json as far as they concern lines, membership and canonical bytes."""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise
from typing import Any

import pytest

from services.settlement.domain.lines import entry_shares
from shared.canonical import canonical
from shared.money import Rate, decimal_text, half_even
from tests.settlement.domain.worked import (
    ALL,
    ROUNDINGS,
    document,
    in_order,
    nets,
    settled,
    short,
    shown,
    vector,
)


def expected_windows(id_: str) -> dict[str, Any]:
    then = vector(id_)["then"]
    windows: dict[str, Any] = then.get("windows") or {"W1": then}
    return windows


@pytest.mark.parametrize("id_", ALL)
def test_lines_and_nets_are_those_of_the_vectors(id_: str) -> None:
    given, expected = vector(id_)["given"], expected_windows(id_)
    for window in settled(id_):
        then = expected[window.name]
        lines = [shown(line, given["contract_versions"]) for line in window.lines]
        assert in_order(lines) == in_order(then["lines"])
        assert nets(window.lines, given["partners"]) == then["net_minor"]


@pytest.mark.parametrize("id_", [id_ for id_ in ALL if "canonical" in str(vector(id_)["then"].keys())])
def test_canonical_bytes_and_their_hash_are_those_of_the_vectors(id_: str) -> None:
    then, given = vector(id_)["then"], vector(id_)["given"]
    expected = then.get("canonical") or then["canonical_W1"]
    first = settled(id_)[0]
    body = canonical(document(first, given["partners"]))
    assert body.decode() == expected["json"]
    assert sha256(body).hexdigest() == expected["sha256"]


def test_g1_totals_of_issuers_are_fixed_and_the_cent_goes_to_the_largest_remainder() -> None:
    then = vector("G1")["then"]
    (window,) = settled("G1")
    for debtor, total in then["debtor_totals"].items():
        own = [line for line in window.lines if short(line.key.debtor) == debtor]
        assert sum(line.booked_minor for line in own) == total["booked_minor"]
        assert decimal_text(sum((line.exact for line in own), start=own[0].exact - own[0].exact)) == total["exact"]
    assert sum(line.booked_minor for line in window.lines) == then["gross_minor"]


def test_g1_a_booked_line_is_spread_over_its_entries() -> None:
    then = vector("G1")["then"]["entry_shares"]
    (window,) = settled("G1")
    line = next(one for one in window.lines if (short(one.key.debtor), short(one.key.creditor)) == ("A", "B"))
    points = {(0, 1): 12342, (0, 7): 1}
    shares = entry_shares(line, points)
    assert {f"{bucket}:{seq}": share for (bucket, seq), share in shares.items()} == then["booked_minor"]


def test_g1_cumulatively_each_line_stands_alone() -> None:
    then = vector("G1")["variant"]["then"]
    (window,) = settled("G1", "CUMULATIVE")
    pairs = {f"{short(line.key.debtor)}>{short(line.key.creditor)}": line.booked_minor for line in window.lines}
    assert pairs == then["booked_minor"]
    assert nets(window.lines, ["A", "B", "C"]) == then["net_minor"]


def test_g1_a_line_rounded_alone_would_be_a_cent_short() -> None:
    wrong = vector("G1")["then"]["wrong"]
    (window,) = settled("G1")
    own = [line for line in window.lines if short(line.key.debtor) == "A"]
    alone = {short(line.key.creditor): half_even(line.exact, 2) for line in own}
    assert (alone["B"], sum(alone.values())) == tuple(wrong.values())
    assert sum(line.booked_minor for line in own) == sum(alone.values()) + 1


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_g2_windows_add_up_to_one_large_one(rounding: str) -> None:
    then = vector("G2")["then"]
    windows = settled("G2", rounding)
    whole = settled("G2", rounding, [{"window": "W", "from": {"0": 0}, "to": {"0": 7}}])
    for found, expected in ((windows, then["sum_of_windows"]), (whole, then["one_window_over_all_entries"])):
        sums: dict[str, int] = {}
        for line in (line for window in found for line in window.lines):
            pair = f"{short(line.key.debtor)}>{short(line.key.creditor)}"
            sums[pair] = sums.get(pair, 0) + line.booked_minor
        assert sums == expected["booked_minor"]
        total = dict.fromkeys("ABC", 0)
        for window in found:
            for partner, net in nets(window.lines, list(total)).items():
                total[partner] += net
        assert total == expected["net_minor"]


def test_g2_what_is_refunded_later_leaves_what_was_kept() -> None:
    then = vector("G2")["then"]
    first, second, third = settled("G2")
    (kept,) = [one for one in then["windows"]["W3"]["lines"] if one["creditor"] == "B"]
    booked = next(line for line in first.lines if short(line.key.creditor) == "B")
    at_the_old_rate = {
        window.name: line for window in (second, third) for line in window.lines if line.key == booked.key
    }
    split = then["split_of_A_B_in_W1"]
    assert booked.booked_minor == split["booked_minor"] == split["kept_minor"] + split["refunded_in_W2_minor"]
    assert at_the_old_rate["W2"].booked_minor == -split["refunded_in_W2_minor"]
    assert at_the_old_rate["W3"].booked_minor == -split["kept_minor"] == kept["booked_minor"]
    assert at_the_old_rate["W3"].points_after == 0
    new = Rate.of("0.0085")
    assert half_even(new.times(kept["points"]), 2) == then["wrong"]["last_refund_at_new_rate_minor"]


def test_g2_a_closed_window_has_the_same_bytes_after_two_more() -> None:
    then, given = vector("G2")["then"], vector("G2")["given"]
    body = canonical(document(settled("G2")[0], given["partners"]))
    assert sha256(body).hexdigest() == then["canonical_W1_after_W3_closed_sha256"]


def test_g2_a_late_entry_has_the_price_of_its_day() -> None:
    (late,) = vector("G2")["then"]["late"]
    third = settled("G2")[2]
    assert third.late == [f"{late['bucket']}:{late['seq']}"]
    (line,) = [line for line in third.lines if short(line.key.creditor) == "C"]
    assert line.booked_minor == late["amount_minor"]
    assert (line.late_items, third.name) == (1, late["settled_in"])
    assert (
        half_even(Rate.of("0.0085").times(line.points), 2)
        == vector("G2")["then"]["wrong"]["late_entry_at_new_rate_minor"]
    )


@pytest.mark.parametrize("cut", vector("S4")["then"]["same_entries_cut_otherwise"], ids=str)
def test_s4_any_cut_gives_the_same_money(cut: dict[str, Any]) -> None:
    size, last = cut["entries_per_window"], 1000
    edges = [*range(0, last, size), last]
    windows = [
        {"window": f"W{number}", "from": {"0": a}, "to": {"0": b}}
        for number, (a, b) in enumerate(pairwise(edges), start=1)
    ]
    assert len(windows) == cut["windows"]
    found = settled("S4", windows=windows)
    booked = [sum(line.booked_minor for line in window.lines) for window in found]
    alone = sum(half_even(line.exact, 2) for window in found for line in window.lines)
    assert alone == cut["rounded_per_window_minor"]
    assert booked[:8] == cut["first_booked_minor"][: len(booked)]
    assert sum(booked) == cut["sum_booked_minor"]


def test_s6_membership_is_by_checkpoint() -> None:
    then = vector("S6")["then"]
    windows = settled("S6")
    assert {window.name: window.members for window in windows} == then["membership"]
    (late,) = then["late"]
    assert [window.late for window in windows] == [[], [f"{late['bucket']}:{late['seq']}"]]
    assert [(late["belongs_by_date_to"], late["settled_in"])] == [
        ("W1", window.name) for window in windows if window.late
    ]


def test_s6_what_is_counted_is_what_lies_between_the_checkpoints() -> None:
    then, given = vector("S6")["then"], vector("S6")["given"]
    for window, cut in zip(settled("S6"), given["windows"], strict=True):
        expected = then["count_check"][window.name]
        assert len(window.members) == expected["entries"]
        assert sum(cut["to"].values()) - sum(cut["from"].values()) == expected["sum_of_to_minus_from"]
    cut_off = given["business_cut_offs"]["W1"]
    by_day = sum(one["points"] for one in vector("S6")["entries"] if one["occurred_at"] < cut_off)
    rate = Rate.of(given["contract_versions"][0]["rate_at_redemption"])
    assert half_even(rate.times(by_day), 2) == then["wrong"]["W1_by_occurred_at_minor"]
    assert half_even(rate.times(by_day), 2) != sum(line.booked_minor for line in settled("S6")[0].lines)
