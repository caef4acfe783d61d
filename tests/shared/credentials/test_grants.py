"""Grants: what they let through, and what they never do."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.fernet import Fernet, MultiFernet

from shared.credentials import files
from shared.credentials.files import NotSecret
from shared.credentials.grants import (
    Grant,
    GrantExpired,
    GrantInvalid,
    GrantRing,
    GrantScope,
    Scope,
    create_grant_keys,
    rotate_grant_keys,
)
from shared.rpc.caller import Caller, Role
from tests.shared.home import NOW

GROCER = Caller(Role.PARTNER, "grocer", "grocer")
BAKER = Caller(Role.PARTNER, "baker", "baker")
CATALOGUE = Caller(Role.CATALOGUE, "catalogue")
KEY = Fernet.generate_key()


def grant(scope: Scope = Scope.AWARD) -> Grant:
    return Grant(
        wallet_id=UUID(int=7),
        partner="grocer",
        scope=scope,
        max_redeem_points=500 if scope is Scope.REDEEM else None,
        segments=("gold", "birthday-week"),
        issued_at=NOW,
        expires_at=NOW + timedelta(minutes=5, microseconds=1),
        grant_id=UUID(int=9),
    )


@pytest.fixture
def ring() -> GrantRing:
    return GrantRing.of_keys(KEY)


@pytest.mark.parametrize("scope", Scope)
def test_what_was_sealed_comes_out_whole(ring: GrantRing, scope: Scope) -> None:
    sealed = ring.seal(grant(scope))
    assert ring.opened(sealed, for_=scope, by=GROCER, at=NOW) == grant(scope)
    assert len(sealed) < 500


def test_whoever_may_redeem_may_award_and_not_the_reverse(ring: GrantRing) -> None:
    ring.opened(ring.seal(grant(Scope.REDEEM)), for_=Scope.AWARD, by=GROCER, at=NOW)
    with pytest.raises(GrantScope) as caught:
        ring.opened(ring.seal(grant(Scope.AWARD)), for_=Scope.REDEEM, by=GROCER, at=NOW)
    assert caught.value.metadata == {"granted": "award", "wanted": "redeem"}


@pytest.mark.parametrize("role", Role)
def test_only_its_partner_and_the_catalogue_can_use_a_grant(ring: GrantRing, role: Role) -> None:
    sealed = ring.seal(grant())
    other = BAKER if role is Role.PARTNER else Caller(role, role.value)
    if role is Role.CATALOGUE:
        assert ring.opened(sealed, for_=Scope.AWARD, by=other, at=NOW).partner == "grocer"
    else:
        with pytest.raises(GrantInvalid):
            ring.opened(sealed, for_=Scope.AWARD, by=other, at=NOW)


def test_our_clock_decides_when_a_grant_ends_to_the_microsecond(ring: GrantRing) -> None:
    sealed = ring.seal(grant())
    ring.opened(sealed, for_=Scope.AWARD, by=GROCER, at=NOW + timedelta(minutes=5))
    with pytest.raises(GrantExpired):
        ring.opened(sealed, for_=Scope.AWARD, by=GROCER, at=NOW + timedelta(minutes=5, microseconds=1))


def test_forgeries_and_strangers_grants_look_alike(ring: GrantRing) -> None:
    sealed = ring.seal(grant())
    strangers = GrantRing.of_keys(Fernet.generate_key()).seal(grant())
    texts = set()
    for token in ("", "x", "ü", "é" * 30, "A" * 100_000, sealed[:-2], sealed[:40] + "AAAA" + sealed[44:], strangers):
        with pytest.raises(GrantInvalid) as caught:
            ring.opened(token, for_=Scope.AWARD, by=GROCER, at=NOW)
        texts.add(str(caught.value))
    with pytest.raises(GrantInvalid) as caught:
        ring.opened(sealed, for_=Scope.AWARD, by=BAKER, at=NOW)
    assert texts == {str(caught.value)}
    assert caught.value.reason == "GRANT_INVALID"
    assert caught.value.metadata == {}


def test_sealed_by_our_key_but_no_grant_is_no_grant(ring: GrantRing) -> None:
    for content in (b"", b"{}", b"[1,2]", b'["x","p","award",1,[],0,0,"y"]', b"\xff"):
        with pytest.raises(GrantInvalid):
            ring.opened(Fernet(KEY).encrypt(content).decode(), for_=Scope.AWARD, by=GROCER, at=NOW)


def test_a_rotation_overlaps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_LOOK_EVERY_SECONDS", 0.0)
    path = tmp_path / "private" / "grants.keys"
    create_grant_keys(path)
    identity, ledger = GrantRing.from_file(path), GrantRing.from_file(path)
    before = identity.seal(grant())
    rotate_grant_keys(path)
    after = identity.seal(grant())
    for token in (before, after):
        ledger.opened(token, for_=Scope.AWARD, by=GROCER, at=NOW)
    with pytest.raises(GrantInvalid):
        GrantRing.of_keys(path.read_bytes().split()[1]).opened(after, for_=Scope.AWARD, by=GROCER, at=NOW)
    rotate_grant_keys(path, keep=1)
    with pytest.raises(GrantInvalid):
        ledger.opened(before, for_=Scope.AWARD, by=GROCER, at=NOW)


def test_a_grant_that_was_used_before_opens_no_more_once_its_key_leaves_the_ring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opened grants are remembered; memory must not outlive the key that somebody took away because it was stolen."""
    monkeypatch.setattr(files, "_LOOK_EVERY_SECONDS", 0.0)
    path = tmp_path / "grants.keys"
    create_grant_keys(path)
    ring = GrantRing.from_file(path)
    sealed = ring.seal(grant())
    for _ in range(2):
        ring.opened(sealed, for_=Scope.AWARD, by=GROCER, at=NOW)
    assert ring._opened.get(sealed) is not None
    rotate_grant_keys(path, keep=0)
    with pytest.raises(GrantInvalid):
        ring.opened(sealed, for_=Scope.AWARD, by=GROCER, at=NOW)
    ring.opened(ring.seal(grant()), for_=Scope.AWARD, by=GROCER, at=NOW)


def test_a_grant_that_is_being_opened_while_its_key_leaves_is_not_remembered() -> None:
    old, new = Fernet(Fernet.generate_key()), MultiFernet([Fernet(Fernet.generate_key())])

    class Overtaken(MultiFernet):
        """Opens a grant while another thread comes by with the new ring."""

        def decrypt(self, msg: bytes | str, ttl: int | None = None) -> bytes:
            current.append(new)
            with pytest.raises(GrantInvalid):
                ring.opened("x", for_=Scope.AWARD, by=GROCER, at=NOW)
            return super().decrypt(msg, ttl)

    current: list[MultiFernet] = [Overtaken([old])]
    ring = GrantRing(lambda: current[-1])
    sealed = ring.seal(grant())
    ring.opened(sealed, for_=Scope.AWARD, by=GROCER, at=NOW)
    with pytest.raises(GrantInvalid):
        ring.opened(sealed, for_=Scope.AWARD, by=GROCER, at=NOW)


def test_a_broken_key_file_leaves_the_last_good_ring_in_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_LOOK_EVERY_SECONDS", 0.0)
    path = tmp_path / "grants.keys"
    create_grant_keys(path)
    ring = GrantRing.from_file(path)
    sealed = ring.seal(grant())
    path.write_bytes(b"half a key")
    assert ring.opened(sealed, for_=Scope.AWARD, by=GROCER, at=NOW) == grant()


def test_keys_that_others_can_read_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "private" / "grants.keys"
    create_grant_keys(path)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    path.chmod(0o644)
    with pytest.raises(NotSecret, match="chmod 600"):
        GrantRing.from_file(path)


def test_a_service_without_the_setting_is_told_its_name() -> None:
    with pytest.raises(ValueError, match="grant_keys_file"):
        GrantRing.from_file(None)
