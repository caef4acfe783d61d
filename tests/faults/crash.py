"""Kill the ledger and its PostgreSQL again and again under load; then prove that nothing was lost, doubled or changed.

python -m tests.faults.crash --operations 100000 --clients 16 --kills 100 --postgres-kills 30 --seed 1
python -m tests.faults.crash --processes 2 --sleeps 10
python -m tests.faults.crash --check FILE       look at a history once more
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from tests.faults.checker import violations
from tests.faults.playing import Options, run
from tests.faults.record import History

_SHOWN = 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="make crash", description=__doc__.splitlines()[0])
    for name, default in asdict(Options()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=default or None)
    parser.add_argument("--check", type=Path, help="a history that was kept")
    parser.add_argument("--keep", type=Path, help="save the history here, whatever it is like")
    given = vars(parser.parse_args())
    file, keep = given.pop("check"), given.pop("keep")
    if file:
        history = History.load(file)
        found = violations(history) if history.journal else ["the run broke off before it read the journal"]
        print("\n".join(found[:_SHOWN]) or "nothing is wrong with it")
        return 1 if found else 0
    if given["seed"] is None:
        given["seed"] = random.SystemRandom().randrange(1_000_000)
    options = Options(**{name: value for name, value in given.items() if value is not None})
    print(f"seed {options.seed}", file=sys.stderr)
    home = Path(tempfile.mkdtemp(prefix="co-"))
    try:
        result, history = run(options, home, lambda line: print(line, file=sys.stderr))
        if keep:
            history.save(keep)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    shown = {**asdict(result), "violations": result.violations[:_SHOWN], "violation_count": len(result.violations)}
    print(json.dumps(shown, indent=1))
    return 1 if result.violations else 0


if __name__ == "__main__":
    sys.exit(main())
