"""Several processes of one ledger: whoever is asked, every wish is posted once, and who lost a stripe writes nothing.

The processes live in one, with leases, lanes and connections of their own; what they say to each other goes by a
function call instead of gRPC.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from uuid import UUID

import pytest

from services.ledger.domain.refusals.awarding import PartnerNetDebitCapExceeded
from services.ledger.domain.refusals.spending import InsufficientPoints
from services.ledger.domain.terms import Policy
from services.ledger.domain.wish import Wish
from services.ledger.store.allowances import Allowances
from services.ledger.store.holdings import StripeMoved
from services.ledger.store.leases import Leases
from services.ledger.store.peers import PeerAway, Peers
from services.ledger.store.writer import Outcome, Posted, Writer
from tests.ledger.store.vault import BUCKETS, GROCER, PATIENCE, Vault, award, receipt, redeem, wallet_in
from tests.support.together import at_once, until

SECONDS = 2
STRIPES = 8


class Process:
    """One process of the ledger. `before_deciding` runs in its transactions, with the heads locked."""

    def __init__(self, name: str, vault: Vault, town: dict[str, Process]) -> None:
        self.name = name
        self.asleep = False
        self.before_deciding: Callable[[], None] = lambda: None
        self._town = town
        self.leases = Leases(vault.another_engine(2, idle_seconds=SECONDS), name, name, BUCKETS, SECONDS)
        self.writer = Writer(
            vault.another_engine(4, idle_seconds=SECONDS),
            vault.clock,
            vault.programme,
            BUCKETS,
            holdings=self.leases,
            policies=self._policies,
        )
        self.peers = Peers(self.leases, BUCKETS, self.writer, self._send)
        self.writer.peers = self.peers
        town[name] = self
        self.leases.start()

    def _policies(self) -> Mapping[str, Policy]:
        self.before_deciding()
        return {}

    def _send(self, address: str, wishes: Sequence[Wish], within: float, is_there: Callable[[], bool]) -> list[Outcome]:
        peer = self._town[address]
        while peer.asleep:
            time.sleep(0.01)
            if not is_there():
                raise PeerAway(perhaps=True)
        return peer.writer.post_here(wishes, within)

    def falls_asleep(self) -> None:
        """As under SIGSTOP: it renews nothing, and hears nobody."""
        self.asleep = True
        self.leases._thread.stop()

    def stop(self) -> None:
        self.writer.stop()
        self.leases.stop()
        self.peers.stop()


class Town:
    """The processes of one vault."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self.processes: dict[str, Process] = {}

    def process(self, name: str) -> Process:
        return Process(name, self.vault, self.processes)

    def shared_out(self, *processes: Process) -> Callable[[], bool]:
        fair = -(-STRIPES // len(processes))

        def holds() -> bool:
            held = [set(process.leases.held()) for process in processes]
            return set().union(*held) == set(range(STRIPES)) and max(map(len, held)) <= fair

        return holds

    def two(self) -> tuple[Process, Process]:
        both = self.process("a"), self.process("b")
        until(self.shared_out(*both))
        return both


@pytest.fixture
def town(own_vault: Vault) -> Iterator[Town]:
    made = Town(own_vault)
    yield made
    for process in made.processes.values():
        process.stop()


def everywhere(points: int = 100) -> list[Wish]:
    return [award(wallet_in(bucket), points, receipt=receipt()) for bucket in range(BUCKETS)]


def all_posted(outcomes: Sequence[Outcome]) -> bool:
    return all(isinstance(outcome, Posted) for outcome in outcomes)


def test_a_process_that_is_asked_for_anothers_bucket_gets_it_posted_there(town: Town) -> None:
    first, second = town.two()
    wishes = everywhere()
    outcomes = first.writer.post_all(wishes, PATIENCE)
    assert all_posted(outcomes)
    again = second.writer.post_all(wishes, PATIENCE)
    assert again == [Posted(outcome.entry, replay=True) for outcome in outcomes if isinstance(outcome, Posted)]
    town.vault.check()


def test_a_process_that_lost_its_stripes_while_it_slept_writes_nothing_when_it_wakes(town: Town) -> None:
    first, second = town.two()
    first.falls_asleep()
    until(lambda: len(second.leases.held()) == STRIPES)
    believed = first.leases.held()
    assert len(believed) == STRIPES // 2
    count = town.vault.entry_count()
    outcomes = first.writer.post_here(everywhere(), PATIENCE)
    assert {type(outcome) for outcome in outcomes} == {StripeMoved}
    assert town.vault.entry_count() == count
    assert first.leases.held() == {}, "it knows better now"
    assert all_posted(second.writer.post_all(everywhere(), PATIENCE))
    town.vault.check()


def test_a_process_that_falls_asleep_in_the_middle_of_a_posting_loses_it_to_the_one_that_takes_over(
    town: Town,
) -> None:
    first, second = town.two()
    bucket = min(first.leases.held())
    wish = award(wallet_in(bucket), receipt=receipt())
    awake, fell_asleep = threading.Event(), threading.Event()

    def sleep() -> None:
        fell_asleep.set()
        awake.wait(PATIENCE)

    first.before_deciding = sleep
    outcomes: list[Outcome] = []
    call = threading.Thread(target=lambda: outcomes.extend(first.writer.post_here([wish], 2 * PATIENCE)))
    call.start()
    fell_asleep.wait(PATIENCE)
    first.falls_asleep()
    until(lambda: len(second.leases.held()) == STRIPES)
    posted = second.writer.post(wish, PATIENCE)
    assert not posted.replay
    awake.set()
    call.join()
    assert [type(outcome) for outcome in outcomes] == [StripeMoved]
    assert town.vault.check().entries == 1


def _tills(town: Town, seconds: float, disturb: Callable[[], None]) -> list[tuple[Wish, Outcome]]:
    """Tills at every process while something happens to the processes: what they wished, and the outcomes."""
    over = threading.Event()

    def till(number: int) -> list[tuple[Wish, Outcome]]:
        history: list[tuple[Wish, Outcome]] = []
        wallets = [wallet_in(bucket) for bucket in range(BUCKETS)]
        step = 0
        while not over.is_set():
            process = list(town.processes.values())[(number + step) % len(town.processes)]
            if process.asleep:
                process = town.processes["b"]
            wallet = wallets[step % BUCKETS]
            wishes: list[Wish] = [award(wallet, 10, receipt=receipt()), redeem(wallet, 15)]
            history += zip(wishes, process.writer.post_all(wishes, PATIENCE), strict=True)
            step += 1
        return history

    def disturbance() -> list[tuple[Wish, Outcome]]:
        began = time.monotonic()
        disturb()
        time.sleep(max(0.0, seconds - (time.monotonic() - began)))
        over.set()
        return []

    acts: list[Callable[[], list[tuple[Wish, Outcome]]]] = [
        *(partial(till, number) for number in range(6)),
        disturbance,
    ]
    return [one for history in at_once(acts) for one in history]


def _nothing_was_lost(town: Town, history: Sequence[tuple[Wish, Outcome]]) -> None:
    """Every answer is the entry in the journal, no place was given twice, and there is nothing else."""
    assert {type(outcome) for _, outcome in history} <= {Posted, InsufficientPoints}
    posted = [(wish, outcome) for wish, outcome in history if isinstance(outcome, Posted)]
    assert len({outcome.entry.place for _, outcome in posted}) == len(posted) == town.vault.check().entries
    survivor = town.processes["b"].writer
    for wish, outcome in posted[:: max(1, len(posted) // 50)]:
        assert survivor.post(wish, PATIENCE) == Posted(outcome.entry, replay=True)


def test_tills_notice_nothing_while_a_process_joins_and_while_one_leaves_in_good_order(town: Town) -> None:
    town.two()

    def come_and_go() -> None:
        third = town.process("c")
        until(lambda: len(third.leases.held()) >= 2)
        time.sleep(0.3)
        leaving = town.processes["a"]
        leaving.asleep = True  # nobody asks it any more: it drains
        time.sleep(0.3)
        leaving.stop()

    history = _tills(town, 1.0, come_and_go)
    until(town.shared_out(town.processes["b"], town.processes["c"]))
    _nothing_was_lost(town, history)


def test_tills_wait_for_the_survivor_when_a_process_is_gone_without_a_word(town: Town) -> None:
    first, second = town.two()
    history = _tills(town, 4.0 * SECONDS, first.falls_asleep)
    assert len(second.leases.held()) == STRIPES
    _nothing_was_lost(town, history)


def test_one_request_sent_to_both_processes_at_once_is_posted_once(town: Town) -> None:
    both = town.two()
    for bucket in (1, 6, 1, 6):
        wish = award(wallet_in(bucket), receipt=receipt())
        answers = at_once([partial(process.writer.post, wish, PATIENCE) for process in both])
        assert sorted(answer.replay for answer in answers) == [False, True]
        assert answers[0].entry == answers[1].entry


def test_one_receipt_in_two_buckets_is_awarded_once_whichever_processes_hold_them(town: Town) -> None:
    both = town.two()
    for _ in range(3):
        paper = receipt()
        wishes = [award(wallet_in(bucket), receipt=paper) for bucket in range(BUCKETS)]
        outcomes = at_once([partial(both[n % 2].writer.post_all, [wish], PATIENCE) for n, wish in enumerate(wishes)])
        assert sum(isinstance(outcome, Posted) for (outcome,) in outcomes) == 1


def test_the_last_point_of_an_allowance_is_awarded_once_by_twenty_tills_at_two_processes(town: Town) -> None:
    both = town.two()
    allowances = Allowances(town.vault.engine, town.vault.clock, BUCKETS)
    for round_ in range(1, 6):
        allowances.set(GROCER, round_, round_)
        wishes = [award(wallet_in(number % BUCKETS), 1) for number in range(20)]
        outcomes = at_once([partial(both[n % 2].writer.post_all, [wish], PATIENCE) for n, wish in enumerate(wishes)])
        assert sum(isinstance(outcome, Posted) for (outcome,) in outcomes) == 1
        assert {type(outcome) for (outcome,) in outcomes} == {Posted, PartnerNetDebitCapExceeded}
    assert allowances.of(GROCER).remaining == 0
    town.vault.check()


def test_an_allowance_is_spent_to_the_point_by_batches_at_two_processes_while_it_is_raised(town: Town) -> None:
    both = town.two()
    allowances = Allowances(town.vault.engine, town.vault.clock, BUCKETS)
    allowances.set(GROCER, 1, 2_000)

    def till(number: int) -> int:
        given = 0
        for step in range(25):
            wishes = [award(wallet_in((number + step + n) % BUCKETS), 7 + n) for n in range(6)]
            outcomes = both[step % 2].writer.post_all(wishes, PATIENCE)
            assert {type(outcome) for outcome in outcomes} <= {Posted, PartnerNetDebitCapExceeded}
            given += sum(outcome.entry.points for outcome in outcomes if isinstance(outcome, Posted))
        return given

    def settlement() -> int:
        for revision in range(2, 12):
            allowances.set(GROCER, revision, 2_000 + 200 * (revision - 1))
            time.sleep(0.05)
        return 0

    acts: list[Callable[[], int]] = [*(partial(till, number) for number in range(6)), settlement]
    given = sum(at_once(acts))
    found = allowances.of(GROCER)
    assert (found.awarded, found.remaining) == (given, 4_000 - given)
    leftover: list[Wish] = [award(wallet_in(3), 1) for _ in range(found.remaining + 1)]
    outcomes = both[0].writer.post_all(leftover, PATIENCE)
    assert sum(isinstance(outcome, Posted) for outcome in outcomes) == found.remaining
    town.vault.check()


def test_a_balance_is_spent_once_whichever_process_is_asked(town: Town) -> None:
    both = town.two()
    wallet: UUID = wallet_in(5)
    for _ in range(3):
        both[0].writer.post(award(wallet, 100), PATIENCE)
        outcomes = at_once([partial(both[n % 2].writer.post_all, [redeem(wallet, 100)], PATIENCE) for n in range(8)])
        assert sum(isinstance(outcome, Posted) for (outcome,) in outcomes) == 1
    town.vault.check()
