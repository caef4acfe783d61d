"""One crash run from beginning to end: the stage, the work, the deaths, the repeats, the check."""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from coalition.ledger.v1 import ledger_pb2 as pb

from shared.clock import SystemClock
from tests.faults.checker import replayed, violations
from tests.faults.checker.transit import lost_in_transit
from tests.faults.crowd import Crowd
from tests.faults.fencing import noted, stale_writes
from tests.faults.process import Ledger
from tests.faults.reaper import Reaper, planned
from tests.faults.record import Entry, History
from tests.faults.sending import Sent
from tests.faults.shop import CATALOGUE, OPERATOR, OWN, PARTNERS, SECOND, Memory, Shop
from tests.faults.stage import Stage, stage_in
from tests.faults.till import Till

Say = Callable[[str], None]

LEASE_SECONDS = 3
BUCKETS = 16
"""Few, so that each has several wallets, and all processes want the same ones."""
_TELL_SECONDS = 10.0
_SECONDS = 600.0


@dataclass(frozen=True)
class Options:
    """How much of it. `sleeps` make sense with several processes only."""

    operations: int = 100_000
    clients: int = 16
    kills: int = 100
    postgres_kills: int = 30
    processes: int = 1
    sleeps: int = 0
    seed: int = 0


@dataclass
class Result:
    """What is printed in the end. It is good when `violations` is empty."""

    options: Options
    entries: int = 0
    calls: int = 0
    acknowledged: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    left_in_doubt: int = 0
    repeats: int = 0
    looks: int = 0
    fenced: int = 0
    """How often a process that had lost a bucket wanted to write there and could not."""
    attempts_without_answer: dict[str, int] = field(default_factory=dict)
    deaths: dict[str, int] = field(default_factory=dict)
    longest_until_healthy: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    kept_in: str = ""


def run(options: Options, folder: Path, say: Say) -> tuple[Result, History]:
    """All of it, with the stage in `folder`. What convicts a run is kept, and it says where."""
    result, history = Result(options), History()
    luck = random.Random(options.seed)
    started = time.monotonic()
    history.wall = SystemClock().now().timestamp() - started
    try:
        with stage_in(folder, options.processes, {"buckets": BUCKETS, "lease_seconds": LEASE_SECONDS}, say) as stage:
            _play(options, stage, luck, result, history, say)
    except Exception as error:  # it says why; what there is of the history is kept
        result.violations.append(f"the run broke off: {type(error).__name__}: {error}")
    if history.at_rest:
        result.violations += violations(history)
    result.seconds["all"] = time.monotonic() - started
    if result.violations:
        result.kept_in = str(_kept(history, folder, options.seed))
        say(f"seed {options.seed}: the history and the logs are in {result.kept_in}")
    return result, history


def _play(options: Options, stage: Stage, luck: random.Random, result: Result, history: History, say: Say) -> None:
    started = time.monotonic()
    crowd = Crowd(_tills(stage, options, luck), options.operations)
    reaper = Reaper(stage, luck, lease_seconds=LEASE_SECONDS, say=say)
    try:
        _work(options, crowd, reaper, luck, say)
        result.seconds["work"] = time.monotonic() - started
        _settle(crowd, stage, result, history, say)
        result.violations += [*_verified(stage, say), *stale_writes(noted(stage.database))]
    finally:
        _collect(crowd, history, result)
        result.deaths, result.longest_until_healthy = dict(reaper.died), reaper.longest
        result.fenced = sum(ledger.log.read_text().count('"fenced"') for ledger in stage.ledgers)


def _tills(stage: Stage, options: Options, luck: random.Random) -> list[Till]:
    wallets = [UUID(int=luck.getrandbits(128), version=4) for _ in range(max(64, options.operations // 100))]
    memories = {partner: Memory() for partner in PARTNERS}
    tills = []
    for number in range(options.clients):
        partner = PARTNERS[number % len(PARTNERS)]
        shop = Shop(partner, random.Random(luck.getrandbits(64)), wallets, memories, stage.grants)
        stubs = {
            OWN: [stage.partner(ledger, partner) for ledger in stage.ledgers],
            CATALOGUE: [stage.catalogue(ledger) for ledger in stage.ledgers],
            OPERATOR: [stage.operator(ledger) for ledger in stage.ledgers],
            SECOND: [stage.operator(ledger, "second") for ledger in stage.ledgers],
        }
        tills.append(Till(shop, stubs))
    return tills


def _work(options: Options, crowd: Crowd, reaper: Reaper, luck: random.Random, say: Say) -> None:
    """Let everybody work, and die when it is due."""
    deaths = planned(luck, options.operations, options.kills, options.postgres_kills, options.sleeps)
    begun = told = time.monotonic()
    crowd.start()

    def tell() -> None:
        nonlocal told
        if time.monotonic() - told > _TELL_SECONDS:
            told = time.monotonic()
            died = sum(reaper.died.values())
            say(f"{crowd.done:,} of {options.operations:,} operations, {died} deaths, {told - begun:.0f} s")

    try:
        for after, death in [*((death.after, death) for death in deaths), (options.operations, None)]:
            while crowd.failure is None and crowd.done < after:
                time.sleep(0.01)
                tell()
            if death and crowd.failure is None:
                reaper.kill(death.how)
                tell()
    except BaseException as error:  # nobody got up again: let the tills go
        crowd.failure = crowd.failure or error
    crowd.join()


def _settle(crowd: Crowd, stage: Stage, result: Result, history: History, say: Say) -> None:
    """Look at what is there before anything is repeated; then repeat everything, and read every balance."""
    journal = _journal(stage.ledgers[-1], stage)
    _collect(crowd, history, result)
    result.left_in_doubt = sum(call.answered is None for call in history.calls)
    history.journal = journal
    result.violations += [f"before the repeats: {found}" for found in violations(history)]
    say(f"repeating {len(history.calls):,} calls, {result.left_in_doubt} of them in doubt")
    begun = time.monotonic()
    crowd.everybody(_repeat_all)
    wallets = crowd.tills[0].shop.wallets
    numbers = {id(till): number for number, till in enumerate(crowd.tills)}
    crowd.everybody(lambda till: _look_at(till, wallets[numbers[id(till)] :: len(crowd.tills)]))
    history.journal = _journal_at_rest(stage)
    history.at_rest = True
    result.seconds["repeats"] = time.monotonic() - begun


def _repeat_all(till: Till) -> None:
    for sent in [sent for sent in till.sent if sent.call.answered is None]:
        till.insist([sent], until_known=True)
    for sent in [sent for sent in till.sent if sent.call.answer is not None]:
        till.repeat(sent)


def _look_at(till: Till, wallets: Iterable[UUID]) -> None:
    for wallet in wallets:
        till.look(wallet)


def _journal_at_rest(stage: Stage) -> list[Entry]:
    """The journal, once what is in transit has arrived: the sweepers see to that."""
    give_up = time.monotonic() + 60
    while True:
        journal = _journal(stage.ledgers[0], stage)
        if not list(lost_in_transit(replayed(journal), at_rest=True)) or time.monotonic() > give_up:
            return journal
        time.sleep(0.5)


def _journal(ledger: Ledger, stage: Stage) -> list[Entry]:
    operator = stage.operator(ledger)
    first = operator.ReadJournal(pb.ReadJournalRequest(cursor=[pb.BucketPosition()]), timeout=_SECONDS)
    cursor = [pb.BucketPosition(bucket=bucket) for bucket in range(first.bucket_count)]
    found: list[Entry] = []
    while True:
        page = operator.ReadJournal(pb.ReadJournalRequest(cursor=cursor, page_size=5000), timeout=_SECONDS)
        found += [Entry(item.bucket, item.seq, item.hash.hex(), item.canonical.decode()) for item in page.entries]
        cursor = list(page.cursor)
        if not page.more:
            return found


def _verified(stage: Stage, say: Say) -> list[str]:
    """What `coalition verify` says of the journal."""
    for event in stage.operator(stage.ledgers[0]).VerifyJournal(pb.VerifyJournalRequest(), timeout=_SECONDS):
        match event.WhichOneof("event"):
            case "difference":
                found = event.difference
                return [f"drift: {found.subject} {found.name}: {found.detail}"]
            case "summary":
                say(f"verified {event.summary.entries:,} entries, {event.summary.wallets:,} wallets")
                return []
    return ["drift: the verification ended without a result"]


def _collect(crowd: Crowd, history: History, result: Result) -> None:
    sent: list[Sent] = [sent for till in crowd.tills for sent in till.sent]
    history.calls = [one.call for one in sent]
    history.looks = [look for till in crowd.tills for look in till.looks]
    attempts: Counter[str] = Counter()
    for till in crowd.tills:
        attempts += till.attempts
    result.calls, result.entries, result.looks = len(history.calls), len(history.journal), len(history.looks)
    result.acknowledged = sum(call.answer is not None for call in history.calls)
    result.refused = dict(Counter(call.refused.reason for call in history.calls if call.refused))
    result.repeats = sum(len(call.repeats) for call in history.calls)
    result.attempts_without_answer = {name: count for name, count in attempts.items() if name.startswith("(")}


def _kept(history: History, home: Path, seed: int) -> Path:
    """Where what convicts a run is left: the history and the logs."""
    folder = Path(tempfile.mkdtemp(prefix=f"coalition-crash-{seed}-"))
    history.save(folder / "history.jsonl")
    shutil.copytree(home / "logs", folder / "logs", dirs_exist_ok=True)
    return folder / "history.jsonl"
