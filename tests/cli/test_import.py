"""`coalition ledger import` beside a platform that runs: it waits its turn, and the tills go on afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from coalition.ledger.v1 import ledger_pb2 as pb

from services.sandbox.verification import verify
from tests.support.platform import RunningPlatform

HEADER = "wallet,unit,issuer,points,earned_at,expires_on,campaign,reference"


def imported(platform: RunningPlatform, *words: str) -> tuple[int, dict[str, object]]:
    command = [sys.executable, "-m", "services.cli.main", "ledger", "import", *words, "--output", "json"]
    environment = {**os.environ, "COALITION_HOME": str(platform.home.root)}
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "Traceback" not in told.stderr
    return told.returncode, json.loads(told.stdout or "{}")


@pytest.fixture
def openings(platform: RunningPlatform, tmp_path: Path) -> Path:
    partner = platform.partner()
    rows = [f"{uuid4()},POINTS,{partner.id},10,2025-05-31T12:00:00Z,,,lot-{number}" for number in range(200)]
    file = tmp_path / "openings.csv"
    file.write_text("\n".join([HEADER, *rows, ""]))
    return file


def test_an_import_counts_once_and_the_platform_goes_on(platform: RunningPlatform, openings: Path) -> None:
    totals = ("--expect-rows", "200", "--expect-points", "2000")
    code, dry = imported(platform, str(openings), "--dry-run", *totals)
    assert (code, dry["rows"], dry["posted"]) == (0, 200, 0)
    code, first = imported(platform, str(openings), *totals)
    assert (code, first["posted"], first["there"]) == (0, 200, 0)
    code, second = imported(platform, str(openings), *totals)
    assert (code, second["posted"], second["there"]) == (0, 0, 200)
    partner, member = platform.partner(), platform.member()
    request = pb.AwardPointsRequest(
        grant=platform.grant(partner, member), request_id=str(uuid4()), lines=[pb.AwardLine(points=5)]
    )
    assert partner.calls.ledger.AwardPoints(request, timeout=20).points == 5
    platform.close_window()
    assert verify(platform.operator, lambda *_: None).difference == ""


def test_a_total_that_does_not_agree_is_a_refusal(platform: RunningPlatform, openings: Path) -> None:
    assert imported(platform, str(openings), "--expect-points", "1999") == (1, {})
