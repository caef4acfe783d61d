"""Versions are published once, in order, and never over what was counted."""

from __future__ import annotations

import pytest

from services.settlement.domain.refusals import (
    ContractVersionInClosedWindow,
    ContractVersionOverlaps,
    ContractVersionRetroactive,
    TransitionRefused,
)
from services.settlement.store import contracts
from services.settlement.store.contracts import Published, price_book, versions_known
from shared.instants import instant
from tests.settlement.paper import day, terms
from tests.settlement.store.office import ANNA, PATIENCE, Office
from tests.support.together import at_once


def numbers(office: Office, partner: str = "acorn") -> list[int]:
    return [one.version.id.number for one in office.contracts.of_partner(partner, 0, 100, PATIENCE)]


def test_a_version_takes_effect_when_another_person_approves_it(office: Office) -> None:
    with office.sessions.writing(PATIENCE) as connection:
        name = contracts.propose(connection, "acorn", terms("0.012"), ANNA, instant(day(0)))
        waiting = contracts.proposed(connection, name)
        assert (waiting.state, waiting.proposal, waiting.version.id.number) == ("PROPOSED", name, 1)
    assert numbers(office) == []
    with office.sessions.writing(PATIENCE) as connection:
        office.approve(connection, name)
        published = contracts.proposed(connection, name)
    assert (published.state, published.version) == ("PUBLISHED", waiting.version)
    assert numbers(office) == [1]


def test_what_was_proposed_first_is_void_when_something_else_is_proposed(office: Office) -> None:
    with office.sessions.writing(PATIENCE) as connection:
        first = contracts.propose(connection, "acorn", terms("0.012"), ANNA, instant(day(0)))
        contracts.propose(connection, "acorn", terms("0.013"), ANNA, instant(day(0)))
        assert contracts.proposed(connection, first).state == "VOIDED"
        with pytest.raises(TransitionRefused):
            office.approve(connection, first)


def test_what_was_counted_after_it_was_proposed_keeps_its_price(office: Office) -> None:
    office.publish("acorn", terms(since=day(0)))
    with office.sessions.writing(PATIENCE) as connection:
        name = contracts.propose(connection, "acorn", terms("0.02", since=day(2)), ANNA, instant(day(0)))
    office.paper.award(10, at=day(3))
    office.take_in()
    with pytest.raises(ContractVersionRetroactive), office.sessions.writing(PATIENCE) as connection:
        office.approve(connection, name)
    assert numbers(office) == [1]


def test_versions_are_listed_with_their_ends_page_by_page(office: Office) -> None:
    for start in (0, 5, 9):
        office.publish("acorn", terms(since=day(start)))
    office.publish("birch", terms())

    def page(after: int, limit: int) -> list[tuple[int, int | None]]:
        found = office.contracts.of_partner("acorn", after, limit, PATIENCE)
        return [(one.version.id.number, one.effective_until) for one in found]

    assert page(0, 9) == [(1, day(5)), (2, day(9)), (3, None)]
    assert page(0, 2) == [(1, day(5)), (2, day(9))]
    assert page(2, 2) == [(3, None)]
    assert office.contracts.of_partner("cedar", 0, 9, PATIENCE) == []


def test_a_version_begins_after_the_newest(office: Office) -> None:
    office.publish("acorn", terms(since=day(5)))
    for start in (day(4), day(5)):
        with pytest.raises(ContractVersionOverlaps):
            office.publish("acorn", terms(since=start))


def test_what_was_counted_keeps_its_price(office: Office) -> None:
    office.publish("acorn", terms(since=day(0)))
    office.paper.award(10, at=day(3))
    office.take_in()
    for start in (day(2), day(3)):
        with pytest.raises(ContractVersionRetroactive):
            office.publish("acorn", terms("0.02", since=start))
    office.publish("birch", terms(since=day(2)))
    office.publish("acorn", terms("0.02", since=day(3) + 1))
    office.check()


def test_a_version_dated_into_a_closed_window_is_refused(office: Office) -> None:
    office.publish("acorn", terms(since=day(0)))
    office.paper.award(10, at=day(3))
    office.take_in()
    office.closed(day(4))
    with pytest.raises(ContractVersionInClosedWindow):
        office.publish("acorn", terms("0.02", since=day(3)))
    office.paper.award(10, at=day(6))
    office.take_in()
    with pytest.raises(ContractVersionRetroactive):
        office.publish("acorn", terms("0.02", since=day(6)))
    assert numbers(office) == [1]


def test_publishing_and_counting_at_once_never_price_an_entry_by_the_wrong_version(office: Office) -> None:
    """Whoever comes first: the entry is priced by the new version, or the version is refused."""
    office.publish("acorn", terms(since=day(0)))
    for number in range(1, 13):
        office.paper.award(10, at=day(2 * number))

        def publish(number: int = number) -> bool:
            try:
                office.publish("acorn", terms("0.02", since=day(2 * number) - 1))
            except ContractVersionRetroactive:
                return False
            return True

        published, _ = at_once([publish, lambda: bool(office.take_in(office.unread()))])
        (priced,) = office.rows("SELECT version FROM settlement.obligations WHERE seq = %s", number)
        assert priced == (max(numbers(office)),)
        del published
    office.check()


def test_those_who_publish_at_once_get_one_number_each(office: Office) -> None:
    def publish(number: int) -> Published:
        return office.publish(f"partner-{number % 2}", terms(since=day(number)))

    def tried(number: int) -> bool:
        try:
            publish(number)
        except ContractVersionOverlaps:
            return False
        return True

    published = at_once([lambda n=n: tried(n) for n in range(8)])  # type: ignore[misc]
    assert sum(published) == len(numbers(office, "partner-0")) + len(numbers(office, "partner-1")) >= 2
    for partner in ("partner-0", "partner-1"):
        assert numbers(office, partner) == list(range(1, len(numbers(office, partner)) + 1))
    office.check()


def test_a_number_of_versions_is_a_state_of_the_book(office: Office) -> None:
    office.publish("acorn", terms("0.01", since=day(0)))
    office.publish("birch", terms(since=day(0)))
    office.publish("acorn", terms("0.02", since=day(5)))
    with office.sessions.reading(PATIENCE) as connection:
        assert versions_known(connection) == 3
        then, now = price_book(connection, 2), price_book(connection, 3)
    assert [str(id_) for id_ in sorted(then.versions)] == ["acorn/1", "birch/1"]
    assert [str(id_) for id_ in sorted(now.versions)] == ["acorn/1", "acorn/2", "birch/1"]


def test_terms_come_back_as_they_were_published(office: Office) -> None:
    agreed = terms("0.000000001", "999999999.999999999", since=day(0) + 1, currency="JPY")
    office.publish("acorn", agreed)
    (found,) = office.contracts.of_partner("acorn", 0, 9, PATIENCE)
    assert found.version.terms == agreed
    assert found.created_at == instant(day(0))
