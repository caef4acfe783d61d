"""G1 and G2, the large worked examples of settlement.json: what is booked, spread, refunded, late, and not to be."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from services.settlement.domain.lines import Line, entry_shares
from shared.canonical import canonical
from shared.money import Rate, decimal_text, half_even
from tests.settlement.domain.worked import (
    ROUNDINGS,
    document,
    nets,
    pairs,
    settled,
    short,
    shown,
    vector,
)


def shown_of_g1(line: Line) -> dict[str, Any]:
    return shown(line, vector("G1")["given"]["contract_versions"])


def test_g1_totals_of_issuers_are_fixed_and_the_cent_goes_to_the_largest_remainder() -> None:
    then = vector("G1")["then"]
    (window,) = settled("G1")
    for debtor, total in then["debtor_totals"].items():
        own = [line for line in window.lines if short(line.key.debtor) == debtor]
        assert sum(line.booked_minor for line in own) == total["booked_minor"]
        assert decimal_text(sum((line.exact for line in own), start=own[0].exact - own[0].exact)) == total["exact"]
    assert sum(line.booked_minor for line in window.lines) == then["gross_minor"]


def test_g1_a_booked_line_is_spread_over_its_entries_and_each_cent_is_explained() -> None:
    then = vector("G1")["then"]
    (window,) = settled("G1")
    spread, (way,) = then["entry_shares"], then["explain"]
    line = next(one for one in window.lines if spread["line"].items() <= shown_of_g1(one).items())
    points = {
        (one["bucket"], one["seq"]): one["points"]
        for one in vector("G1")["entries"]
        if (one["issuer"], one["acceptor"]) == (spread["line"]["debtor"], spread["line"]["creditor"])
    }
    shares = entry_shares(line, points)
    assert {f"{bucket}:{seq}": share for (bucket, seq), share in shares.items()} == spread["booked_minor"]
    exact = {f"{bucket}:{seq}": decimal_text(line.key.rate.times(own)) for (bucket, seq), own in points.items()}
    assert exact == spread["exact"]
    assert way["line"].items() <= shown_of_g1(line).items()
    assert shares[way["entry"]["bucket"], way["entry"]["seq"]] == way["share_minor"]
    assert f"{way['entry']['bucket']}:{way['entry']['seq']}" in window.members
    assert window.name == way["window"]


def test_g1_cumulatively_each_line_stands_alone() -> None:
    variant = vector("G1")["variant"]
    then = variant["then"]
    (window,) = settled("G1", variant["rounding"])
    assert pairs(window.lines) == then["booked_minor"]
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
    then, given = vector("G2")["then"], vector("G2")["given"]
    assert {given["rounding"], given["also_under"]} == set(ROUNDINGS)
    windows = settled("G2", rounding)
    whole = settled("G2", rounding, [{"window": "W", "from": {"0": 0}, "to": {"0": 7}}])
    for found, expected in ((windows, then["sum_of_windows"]), (whole, then["one_window_over_all_entries"])):
        assert pairs([line for window in found for line in window.lines]) == expected["booked_minor"]
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
    assert shown(line, vector("G2")["given"]["contract_versions"])["contract_version"] == late["contract_version"]
    assert (third.meant_for, late["mark"]) == ([late["belongs_by_date_to"]], "LATE")
    assert (
        half_even(Rate.of("0.0085").times(line.points), 2)
        == vector("G2")["then"]["wrong"]["late_entry_at_new_rate_minor"]
    )
