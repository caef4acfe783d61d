"""Bad messages for every RPC of a service: whatever comes, it says what is wrong, and goes on.

python -m tests.fuzz.run --messages 10000 --seed 1                      the ledger; a platform is started and stopped
python -m tests.fuzz.run --service settlement --messages 1500           settlement, from a person of each duty

Memory is measured from after a busy day of good calls. What it grows by is not objects but what malloc and Python keep
of what they were given back, and it levels off: see deploy/decisions/few-arenas.md.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

from services.sandbox.home import Home
from tests.fuzz import ledger, settlement, stage
from tests.support.platform import platform_in

_FUZZ = {ledger.NAME: ledger.fuzz, settlement.NAME: settlement.fuzz}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--service", choices=_FUZZ, default=ledger.NAME)
    parser.add_argument("--messages", type=int, default=10_000, help="for each RPC")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    given = parser.parse_args()
    print(f"seed {given.seed}")
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        stage.share_duties(Home(Path(folder)))
        with platform_in(Path(folder)) as platform:
            report = _FUZZ[given.service](platform, given.seed, given.messages)
    for line in report.lines():
        print(line)
    return 0 if report.sound else 1


if __name__ == "__main__":
    sys.exit(main())
