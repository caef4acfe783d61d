"""The award allowance: settlement's cap in points, spent by the award that it allows (E14)."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_DOWN, Decimal

from services.ledger.domain.entry import Unit
from services.ledger.domain.refusals.awarding import AlreadyPastExpiry, PartnerNetDebitCapExceeded
from services.ledger.domain.verbs.award import allowance_spent
from services.ledger.domain.wish import AwardWish, Line
from tests.ledger.domain.book import FLORIST, GROCER, Book, done, refused
from tests.support.vectors import example


def test_e14_the_cap_holds_at_the_award_and_its_last_point_is_usable() -> None:
    e14 = example("E14")
    given, steps = e14["given"], e14["then"]["steps"]
    cap = Decimal(given["net_debit_cap_minor"]).scaleb(-given["currency_exponent"])
    position, book = Decimal(given["position_exact"]), Book()
    done(book.award(10_000, partner="others"))
    for step, then in zip(e14["when"], steps, strict=True):
        match step["do"]:
            case "grant_allowance":
                points = (cap - position) / Decimal(given["billing_rate"])
                book.allowances[given["partner"]] = int(points.to_integral_value(ROUND_DOWN))
            case "award" if "refused" in then:
                refusal = refused(book.award(step["points"], partner=step["partner"]), PartnerNetDebitCapExceeded)
                assert refusal.reason == then["refused"]["reason"]
                assert refusal.facts["allowance_points"] == then["allowance_points"]
            case "award":
                position += done(book.award(step["points"], partner=step["partner"])).points * Decimal(
                    given["billing_rate"]
                )
            case "redeem":
                position -= done(book.redeem(step["points"], partner=step["partner"])).points * Decimal(
                    given["reimbursement_rate"]
                )
        assert position == Decimal(then["position_exact"])
        assert book.allowances[given["partner"]] == then.get("allowance_points", book.allowances[given["partner"]])


def test_a_partner_without_a_cap_awards_as_it_likes(book: Book) -> None:
    book.allowances[FLORIST] = 0
    assert done(book.award(10**9)).points == 10**9


def test_the_allowance_is_the_issuers_and_not_the_awarding_partners(book: Book) -> None:
    book.allowances[GROCER] = 0
    done(book.award_lines((Line(FLORIST, 10),), partner=GROCER))
    refusal = refused(book.award_lines((Line(GROCER, 10),), partner=FLORIST), PartnerNetDebitCapExceeded)
    assert refusal.facts == {"issuer": GROCER, "allowance_points": 0, "requested": 10}


def test_all_lines_of_one_issuer_count_together(book: Book) -> None:
    book.allowances[GROCER] = 10
    lines = (Line(GROCER, 6), Line(GROCER, 5, campaign="spring"))
    assert refused(book.award_lines(lines), PartnerNetDebitCapExceeded).facts["requested"] == 11
    done(book.award_lines((Line(GROCER, 6), Line(GROCER, 4, campaign="spring"), Line(FLORIST, 99))))
    assert book.allowances[GROCER] == 0


def test_only_redeemable_points_cost_the_issuer_money(book: Book) -> None:
    book.allowances[GROCER] = 10
    lines = (Line(GROCER, 10), Line(GROCER, 50, unit=Unit.QUALIFYING), Line(GROCER, 1, unit=Unit.STAMPS))
    award = done(book.award_lines(lines))
    wish = AwardWish(bucket=7, partner=GROCER, request_id=award.request_id, wallet=award.wallet, lines=lines)
    assert allowance_spent(wish) == {GROCER: 10}


def test_one_issuer_beyond_its_cap_stops_the_whole_award(book: Book) -> None:
    book.allowances[FLORIST] = 3
    refused(book.award_lines((Line(GROCER, 10), Line(FLORIST, 4))), PartnerNetDebitCapExceeded)
    assert book.allowances[FLORIST] == 3
    assert not book.entries


def test_pending_points_count_at_their_worst(book: Book) -> None:
    book.allowances[GROCER] = 10
    done(book.award_lines((Line(GROCER, 10, available_from=book.moment.at + 1),)))
    refused(book.award(1), PartnerNetDebitCapExceeded)


def test_a_reversal_gives_no_room_by_itself(book: Book) -> None:
    """Settlement sees it in the position and grants anew; until then the cap is not exceeded by a point."""
    book.allowances[GROCER] = 10
    done(book.reverse(done(book.award(10)).seq))
    refused(book.award(1), PartnerNetDebitCapExceeded)


def test_what_is_over_already_is_refused_before_the_cap_is_asked(book: Book) -> None:
    """A writer looks for allowances only where they decide: with and without them the answer is the same."""
    book.allowances[GROCER] = 0
    refused(book.award(5, until=date(2026, 2, 28)), AlreadyPastExpiry)
