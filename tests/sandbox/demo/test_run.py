"""A demo throws nothing away but itself, and shows no figures but its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from coalition.identity.v1 import identity_pb2
from coalition.ledger.v1 import ledger_pb2
from rich.console import Console

from services.sandbox.demo.notes import Notebook, Notes, Step
from services.sandbox.demo.parquet import data_folder
from services.sandbox.demo.plan import Slice
from services.sandbox.demo.refusals import DemoDataMissing, OtherDemoHere, OthersHere, TotalsOfOthers
from services.sandbox.demo.run import Demo
from services.sandbox.home import Home
from services.sandbox.partners import admit
from tests.support.platform import RunningPlatform

try:
    data_folder()
except DemoDataMissing as missing:
    pytest.skip(f"{missing} {missing.advice}", allow_module_level=True)

SLICE = Slice.named("5")


def demo(home: Home) -> Demo:
    return Demo(home, SLICE, Console(stderr=True, quiet=True))


def noted(home: Home, *, unfinished: bool, plan: str = str(SLICE)) -> None:
    Notebook(home.root / "demo.json").write(Notes(plan, 1, Step(date(2017, 1, 1)) if unfinished else None))


@pytest.fixture
def shared_home(platform: RunningPlatform) -> Iterator[Home]:
    """A home in which a demo was and others are: the tests' own."""
    yield platform.home
    (platform.home.root / "demo.json").unlink(missing_ok=True)


def test_a_home_with_partners_of_others_is_never_thrown_away(home: Home) -> None:
    (home.partners / "corner-shop").mkdir()
    for fresh, unfinished, plan in (
        (True, True, str(SLICE)),
        (True, False, "another"),
        (False, False, "another"),
    ):
        noted(home, unfinished=unfinished, plan=plan)
        before = sorted(home.root.rglob("*"))
        with pytest.raises(OthersHere, match="corner-shop"):
            demo(home).play(fresh=fresh)
        assert {path for path in before if path.name != "demo.lock"} <= set(home.root.rglob("*"))
    noted(home, unfinished=True, plan="another")
    with pytest.raises(OtherDemoHere):
        demo(home).play(fresh=False)


def test_a_partner_without_a_kit_is_asked_of_identity(
    platform: RunningPlatform, shared_home: Home, tmp_path: Path
) -> None:
    partner_id = f"a-{uuid.uuid4().hex[:12]}"
    shown = identity_pb2.Partner(display_name="Corner shop")
    request = identity_pb2.CreatePartnerRequest(partner_id=partner_id, partner=shown)
    platform.operator.partners.CreatePartner(request, timeout=10)
    noted(shared_home, unfinished=True)
    kits = shared_home.partners.rename(tmp_path / "partners")
    try:
        with pytest.raises(OthersHere, match=partner_id):
            demo(shared_home).play(fresh=True)
    finally:
        shared_home.partners.rmdir()
        kits.rename(shared_home.partners)
    found = platform.operator.partners.GetPartner(
        identity_pb2.GetPartnerRequest(name=f"partners/{partner_id}"), timeout=10
    )
    assert found.display_name == "Corner shop"


def test_where_others_moved_points_no_figures_are_shown(platform: RunningPlatform, shared_home: Home) -> None:
    partner, member = platform.partner(), platform.member()
    award = ledger_pb2.AwardPointsRequest(
        request_id=str(uuid.uuid4()),
        grant=platform.grant(partner, member),
        lines=[ledger_pb2.AwardLine(points=7)],
    )
    partner.calls.ledger.AwardPoints(award, timeout=10)
    for unfinished in (True, False):
        noted(shared_home, unfinished=unfinished)
        with pytest.raises(TotalsOfOthers):
            demo(shared_home).play(fresh=False)
    assert admit(platform.sandbox, partner.id) == partner.kit
