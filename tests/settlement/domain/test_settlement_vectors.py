"""The worked examples of settlement.json as far as they concern lines, membership and canonical bytes."""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise
from typing import Any

import pytest

from services.settlement.domain.contract import VersionId
from shared.canonical import canonical
from shared.money import Rate, exponent_of, half_even
from tests.settlement.domain.worked import (
    ALL,
    at,
    document,
    in_order,
    nets,
    pairs,
    prices,
    settled,
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
        assert pairs(window.lines) == then.get("pair_booked_minor", pairs(window.lines))


@pytest.mark.parametrize("id_", ALL)
def test_a_version_is_in_force_from_its_day_until_the_next_ones_and_its_currency_has_its_decimals(id_: str) -> None:
    given = vector(id_)["given"]
    book = prices(given)
    assert exponent_of(given["currency"]) == given["currency_exponent"]
    for one in given["contract_versions"]:
        partner, own = one["partner"], VersionId(one["partner"], int(one["id"].partition("/")[2]))
        assert book.in_force(partner, at(one["effective_from"])) == own
        assert book.in_force(partner, at(one["effective_from"]) - 1) != own
        until = book.until(own)
        assert until == (at(one["effective_until"]) if one["effective_until"] else None)
        assert until is None or book.in_force(partner, until) != own


@pytest.mark.parametrize("id_", [id_ for id_ in ALL if "canonical" in str(vector(id_)["then"].keys())])
def test_canonical_bytes_and_their_hash_are_those_of_the_vectors(id_: str) -> None:
    then, given = vector(id_)["then"], vector(id_)["given"]
    expected = then.get("canonical") or then["canonical_W1"]
    first = settled(id_)[0]
    written = document(first, given["partners"])
    body = canonical(written)
    assert written == expected["document"]
    assert body.decode() == expected["json"]
    assert sha256(body).hexdigest() == expected["sha256"]


def test_s4_rounded_entry_by_entry_nothing_would_be_left() -> None:
    (window,) = settled("S4")
    (line,) = window.lines
    each = [half_even(line.key.rate.times(1), 2)] * line.items
    assert sum(each) == vector("S4")["then"]["wrong"]["rounded_per_entry_minor"] != line.booked_minor


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
    first_ends = at(vector("S6")["given"]["business_cut_offs"]["W1"])
    in_time = [f"{one['bucket']}:{one['seq']}" for one in vector("S6")["entries"] if at(one["posted_at"]) < first_ends]
    assert sorted(in_time) == windows[0].members, "what was posted when the checkpoint was taken"
    (late,) = then["late"]
    assert late["mark"] == "LATE"
    assert [window.late for window in windows] == [[], [f"{late['bucket']}:{late['seq']}"]]
    assert [(window.name, window.meant_for) for window in windows if window.late] == [
        (late["settled_in"], [late["belongs_by_date_to"]])
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
