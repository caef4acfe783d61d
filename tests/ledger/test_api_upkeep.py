"""What an operator does about a frozen bucket, over the RPCs and the command line; and what a till sees meanwhile.

The bucket is frozen here as the checker does it, because its next look may be a minute away.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import urlopen
from uuid import UUID, uuid4

from coalition.ledger.v1 import ledger_pb2 as pb

from services.sandbox.ports import recorded_ports
from services.sandbox.services import BUCKETS, METERS
from tests.journeys.test_tampering import CHECKED_SECONDS, as_owner, thaw
from tests.ledger.till import SECONDS, Till, award
from tests.support.platform import RunningPlatform
from tests.support.refused import Refused

_LOT = "UPDATE ledger.lots SET available = %s WHERE bucket = %s AND wallet_id = %s"


@contextmanager
def frozen(platform: RunningPlatform, wallet: UUID) -> Iterator[int]:
    """The bucket of a wallet of 100 points, with a lot that has one too few. In the end it is repaired and thawed.

    The checker, which may come by, finds all of it or nothing.
    """
    bucket = wallet.int % BUCKETS
    with as_owner(platform, "ledger") as owner:
        with owner.transaction():
            assert owner.execute(_LOT, [99, bucket, wallet]).rowcount == 1
            owner.execute("UPDATE ledger.heads SET frozen = true WHERE bucket = %s", [bucket])
            difference = "'2026-01-15 12:00Z', 'lot', '7-1.0', 'one too few'"
            owner.execute(f"INSERT INTO ledger.freezes VALUES (%s, {difference})", [bucket])
        try:
            yield bucket
        finally:
            owner.execute(_LOT, [100, bucket, wallet])
            thaw(platform)


def freezes(platform: RunningPlatform) -> list[pb.Freeze]:
    return list(platform.operator.ledger.ListFreezes(pb.ListFreezesRequest(), timeout=SECONDS).freezes)


def thaw_refused(platform: RunningPlatform, bucket: int) -> Refused:
    request = pb.ThawBucketRequest(bucket=bucket)
    return Refused.of(lambda: platform.operator.ledger.ThawBucket(request, timeout=SECONDS))


def coalition(platform: RunningPlatform, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COALITION_")}
    environment |= {"COALITION_HOME": str(platform.home.root), "NO_COLOR": "1", "COLUMNS": "200"}
    command = [sys.executable, "-m", "services.cli.main", "ledger", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_a_frozen_bucket_says_so_and_posts_the_same_request_once_it_is_thawed(till: Till) -> None:
    wallet, other = uuid4(), UUID(int=(uuid4().int // BUCKETS) * BUCKETS + 1)
    till.award(till.grant(wallet), 100)
    wish = award(till.grant(wallet), 7)
    with frozen(till.platform, wallet) as bucket:
        refusal = Refused.of(lambda: till.ledger.AwardPoints(wish, timeout=SECONDS))
        assert (refusal.reason, refusal.metadata["bucket"]) == ("BUCKET_FROZEN", str(bucket))
        assert refusal.code.name == "FAILED_PRECONDITION"
        assert till.available(till.grant(wallet)) == 100
        if other.int % BUCKETS != bucket:
            till.award(till.grant(other), 5)
        kept = thaw_refused(till.platform, bucket)
        assert (kept.reason, kept.metadata["subject"]) == ("BUCKET_DIFFERS", "lot")
    assert till.ledger.AwardPoints(wish, timeout=SECONDS).balance.available == 107


def test_the_operator_sees_what_is_frozen_and_why(till: Till) -> None:
    wallet = uuid4()
    till.award(till.grant(wallet), 100)
    assert coalition(till.platform, "freezes").returncode == 0
    with frozen(till.platform, wallet) as bucket:
        (freeze,) = freezes(till.platform)
        assert (freeze.bucket, freeze.difference.subject, freeze.difference.name) == (bucket, "lot", "7-1.0")
        told = coalition(till.platform, "freezes")
        assert (told.returncode, told.stdout.count("\n")) == (1, 1)
        assert f"bucket {bucket}, 2026-01-15T12:00:00Z: lot 7-1.0: one too few" in told.stdout
        (listed,) = json.loads(coalition(till.platform, "freezes", "--output", "json").stdout)["freezes"]
        assert (listed["bucket"], listed["difference"]["detail"]) == (bucket, "one too few")
        stays = coalition(till.platform, "thaw", str(bucket))
        assert stays.returncode == 1
        assert f"Bucket {bucket} stays frozen" in stays.stderr
        with as_owner(till.platform, "ledger") as owner:
            owner.execute(_LOT, [100, bucket, wallet])
        time.sleep(CHECKED_SECONDS)
        thawed = coalition(till.platform, "thaw", str(bucket))
        assert thawed.stdout == f"Bucket {bucket} agrees with its journal and takes postings again.\n"
        assert freezes(till.platform) == []


def test_what_is_not_frozen_is_not_thawed(till: Till) -> None:
    answer = thaw_refused(till.platform, 1)
    assert (answer.reason, answer.code.name) == ("BUCKET_NOT_FROZEN", "NOT_FOUND")


def test_replay_rebuilds_a_running_ledger_and_nothing_differs(till: Till) -> None:
    till.award(till.grant(), 12)
    done = coalition(till.platform, "replay", "--output", "json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["same"] is True
    assert answer["entries"] > 0


def test_replay_names_a_row_that_was_changed(till: Till) -> None:
    wallet = uuid4()
    till.award(till.grant(wallet), 100)
    with frozen(till.platform, wallet) as bucket:
        done = coalition(till.platform, "replay")
    assert done.returncode == 1
    assert f"DIFFERENT: lot {bucket}: " in done.stdout


def test_every_service_counts_its_calls_on_a_port_of_its_own(till: Till) -> None:
    till.award(till.grant(), 12)
    ports = recorded_ports(till.platform.home)
    for name in METERS:
        with urlopen(f"http://127.0.0.1:{ports[name]}/metrics", timeout=SECONDS) as answer:
            text = answer.read().decode()
        assert "rpc_seconds_count{" in text
        assert till.partner.id not in text
        if name == "ledger-metrics":
            assert 'code="OK",method="/coalition.ledger.v1.LedgerService/AwardPoints"' in text
            assert "\nledger_frozen_buckets " in text
