"""1: kill -9 between storing `to` and the seal. It resumes CLOSING, with the same interval."""

from __future__ import annotations

from collections.abc import Callable

from services.settlement.domain.window import WindowState
from services.settlement.store.signing import Signing
from shared.instants import instant
from tests.settlement.paper import day, terms
from tests.settlement.reckoning import SIGNER
from tests.settlement.store.office import Office

SEAL = "SELECT document FROM settlement.seals WHERE window_number = 1"
STATEMENT = "SELECT document FROM settlement.statements"


def begun(office: Office) -> None:
    office.publish("acorn", terms(since=day(-1)))
    office.paper.award(100)
    office.ask(1)
    office.closing.fix_edge(1, office.paper.checkpoint(day(1)))


def test_the_interval_is_fixed_before_anything_is_sealed(offices: Callable[[], Office]) -> None:
    killed, undisturbed = offices(), offices()
    for one in (killed, undisturbed):
        begun(one)
    killed.begin_again()  # nothing is known but what is stored
    window = killed.window(1)
    assert window.state is WindowState.CLOSING
    assert window.to is not None
    assert window.to.seqs == (1, 0)
    killed.paper.award(5, at=day(2))  # what comes meanwhile is the next window's
    for one in (killed, undisturbed):
        one.take_in()
        assert one.closing.finish(instant(day(3))) is None
    assert killed.rows(SEAL) == undisturbed.rows(SEAL)
    assert (killed.counts(1), killed.counts(2)) == ((1, 0), (1, 0))


def test_between_the_seal_and_the_statements_nothing_is_lost(offices: Callable[[], Office]) -> None:
    killed, undisturbed = offices(), offices()
    for one in (killed, undisturbed):
        begun(one)
        one.take_in()
        assert one.closing.finish(instant(day(3))) is None
    assert killed.rows(STATEMENT) == []
    killed.begin_again()
    assert [Signing(killed.sessions, SIGNER).sign_next(instant(day(4))) for _ in range(2)] == [1, None]
    undisturbed.sign(day(3))
    assert killed.rows(STATEMENT) == undisturbed.rows(STATEMENT)
    killed.check()
