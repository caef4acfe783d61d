"""3: killed after freezing, before the send. It is sent once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.settlement.bank import Bank
from tests.settlement.paying.stage import PAID, base_in, one_life
from tests.support.databases import Databases

FROZEN = "after the commit of openings+transitions+instructions+payment_files+batch_contents+batches"
BEGUN = "after the commit of sendings+transitions+instructions+steps by the step send: GoOn"
AT_THE_DOOR = "before the bank gets B1-R1-F1"


@pytest.mark.parametrize("point", [FROZEN, BEGUN, AT_THE_DOOR])
def test_what_was_frozen_is_sent_once(databases: Databases, bank: Bank, tmp_path: Path, point: str) -> None:
    with base_in(databases, tmp_path / "base") as base:
        result, points, _ = one_life(databases, base, bank, tmp_path / "life", point)
    assert point in {one.name for one in points}
    assert result["sent"] == [("B1-R1-F1", "TAKEN")]
    assert result["left"] == dict.fromkeys(PAID, 1)
    assert len(bank.said("CLEARING", "pain.002")) == 1, "the bank saw the file once"
