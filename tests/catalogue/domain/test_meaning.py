"""Equal meanings have equal hashes, others have others."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from services.catalogue.domain.meaning import meaning_of_purchase, meaning_of_refund, meaning_of_rules
from services.catalogue.domain.returns import Returned
from services.catalogue.domain.rules import Bonus, Exclude
from tests.catalogue.rules import BEGINNING, points, receipt, rule, times, version

WALLET, PURCHASE = UUID(int=1), UUID(int=2)


def test_every_part_of_a_purchase_is_part_of_its_meaning() -> None:
    sold = receipt(100, 200)
    hashes = [
        meaning_of_purchase("grocer", WALLET, sold, None),
        meaning_of_purchase("baker", WALLET, sold, None),
        meaning_of_purchase("grocer", PURCHASE, sold, None),
        meaning_of_purchase("grocer", WALLET, sold, BEGINNING),
        meaning_of_purchase("grocer", WALLET, sold, BEGINNING + timedelta(microseconds=1)),
        *(
            meaning_of_purchase("grocer", WALLET, changed, None)
            for changed in (
                replace(sold, store="2"),
                replace(sold, terminal="2"),
                replace(sold, business_date=date(2026, 3, 2)),
                replace(sold, receipt_no="2"),
                replace(sold, lines=sold.lines[:1]),
                replace(sold, lines=sold.lines[::-1]),
                *(
                    replace(sold, lines=(changed_line, sold.lines[1]))
                    for changed_line in (
                        replace(sold.lines[0], line_no=9),
                        replace(sold.lines[0], product="x"),
                        replace(sold.lines[0], category="x"),
                        replace(sold.lines[0], amount=101),
                    )
                ),
            )
        ),
    ]
    assert len(set(hashes)) == len(hashes)


def test_an_instant_left_empty_means_the_same_whenever_it_is_said() -> None:
    sold = receipt(100)
    later = replace(sold, occurred_at=BEGINNING + timedelta(hours=1))
    assert meaning_of_purchase("a-1", WALLET, sold, None) == meaning_of_purchase("a-1", WALLET, later, None)


def test_every_part_of_a_return_is_part_of_its_meaning() -> None:
    hashes = [
        meaning_of_refund("grocer", PURCHASE, [], None),
        meaning_of_refund("baker", PURCHASE, [], None),
        meaning_of_refund("grocer", WALLET, [], None),
        meaning_of_refund("grocer", PURCHASE, [], BEGINNING),
        meaning_of_refund("grocer", PURCHASE, [Returned(1, None)], None),
        meaning_of_refund("grocer", PURCHASE, [Returned(1, 0)], None),
        meaning_of_refund("grocer", PURCHASE, [Returned(2, None)], None),
    ]
    assert len(set(hashes)) == len(hashes)


def test_rules_mean_what_they_do_and_not_how_it_is_written() -> None:
    assert meaning_of_rules(version(points("1.50"))) == meaning_of_rules(version(points("1.5")))
    others = [
        points("1"),
        points("1", "operator"),
        points("1", rule_id="other"),
        times("1"),
        rule("base", Bonus(1)),
        rule("base", Exclude()),
    ]
    assert len({meaning_of_rules(version(one)) for one in others}) == len(others)
