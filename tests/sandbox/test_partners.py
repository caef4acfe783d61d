"""A partner for trying out gets all it needs to call, and its token follows the sandbox's time."""

from __future__ import annotations

import uuid
from datetime import timedelta

from coalition.ledger.v1 import ledger_pb2

from services.sandbox.partners import admit, kit_of
from tests.support.platform import RunningPlatform


def test_a_kit_is_private_and_complete(platform: RunningPlatform) -> None:
    kit = platform.partner().kit
    files = sorted(kit.folder.iterdir())
    assert [file.name for file in files] == ["ca.pem", "credential.json", "secret", "tls.key", "tls.pem"]
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)


def test_a_partner_that_has_a_kit_keeps_it(platform: RunningPlatform) -> None:
    partner = platform.partner()
    secret = partner.kit.secret_file.read_bytes()
    assert admit(platform.sandbox, partner.id) == partner.kit == kit_of(platform.sandbox, partner.id)
    assert partner.kit.secret_file.read_bytes() == secret


def test_a_partner_that_lost_its_kit_gets_another(platform: RunningPlatform) -> None:
    partner = platform.partner()
    partner.kit.secret_file.unlink()
    assert admit(platform.sandbox, partner.id).credential != partner.kit.credential


def test_its_calls_go_on_when_time_jumps_past_its_token(platform: RunningPlatform) -> None:
    till, anna = platform.partner(), platform.member()
    for points in (120, 30):
        request = ledger_pb2.AwardPointsRequest(
            request_id=str(uuid.uuid4()),
            grant=platform.grant(till, anna),
            lines=[ledger_pb2.AwardLine(points=points)],
        )
        entry = till.calls.ledger.AwardPoints(request, timeout=10)
        assert entry.points == points
        platform.clock.move(timedelta(hours=1))
