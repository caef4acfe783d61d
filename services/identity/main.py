"""Composition root: settings, keys, engine, stores, servicers, server. Nothing else knows them all."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import grpc
from coalition.identity.v1 import identity_pb2_grpc as rpc

from services.identity.access import ACCESS, METHOD_BYTES, TOKENLESS
from services.identity.api.enrolling import Enrolling
from services.identity.api.members import MemberService
from services.identity.api.pairwise import PairwiseNames
from services.identity.api.partners import PartnerService
from services.identity.api.resolving import Budgets, Resolving
from services.identity.api.tokens import TokenService
from services.identity.domain.misses import MissBudget
from services.identity.settings import Settings
from services.identity.store.codes import Codes
from services.identity.store.credentials import Credentials
from services.identity.store.enrolments import Enrolments
from services.identity.store.fresh import Fresh
from services.identity.store.lookup import Lookup
from services.identity.store.members import Members
from services.identity.store.partners import Partners
from services.identity.store.sealing import KEY_BYTES, Vault
from services.identity.store.secrets import Secrets
from shared.clock import Clock, clock_at
from shared.credentials.files import read_secret
from shared.credentials.grants import GrantRing, Scope
from shared.credentials.keys import load_private
from shared.credentials.tokens import TokenSigner
from shared.db.engine import make_engine
from shared.db.migrate import at_head
from shared.db.sessions import Sessions
from shared.memory import keep_little
from shared.rpc.limits import Limits
from shared.rpc.pages import page_key
from shared.rpc.server import serve

NAME = "identity"
SERVICES = tuple(f"coalition.identity.v1.{name}" for name in ("PartnerService", "TokenService", "MemberService"))
LIMITS = Limits(per_method_bytes=METHOD_BYTES)


class Identity:
    """The service, wired and not yet listening."""

    def __init__(
        self, settings: Settings, clock: Clock, random_bytes: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self._engine = make_engine(settings)
        sessions = Sessions(self._engine)
        fresh, hashes = Fresh(random_bytes), Secrets(random_bytes)
        lookup = Lookup(_one_key(settings.lookup_key_file))
        vault = Vault(_keys(settings.master_key_file), random_bytes)
        pairwise = PairwiseNames(_one_key(settings.pairwise_key_file))
        partners, credentials = Partners(sessions), Credentials(sessions)
        members = Members(sessions, vault, lookup, fresh)

        budgets = _budgets(settings)
        enrolling = Enrolling(Enrolments(sessions, vault, lookup, fresh), pairwise, budgets.of_partner)
        grants, codes = GrantRing.from_file(settings.grant_keys_file), Codes(sessions, vault, lookup)
        resolving = Resolving(members, codes, budgets, pairwise, grants, _lifetimes(settings), fresh)
        signer = TokenSigner(load_private(settings.token_key_file))
        lifetime = timedelta(seconds=settings.token_seconds)

        self._partner_service = PartnerService(partners, credentials, hashes, fresh, clock, page_key(settings))
        self._token_service = TokenService(credentials, hashes, signer, fresh, clock, lifetime)
        self._member_service = MemberService(members, enrolling, resolving, pairwise, clock)

    def register(self, server: grpc.Server) -> None:
        """Add the three services to a server."""
        rpc.add_PartnerServiceServicer_to_server(self._partner_service, server)
        rpc.add_TokenServiceServicer_to_server(self._token_service, server)
        rpc.add_MemberServiceServicer_to_server(self._member_service, server)

    def ready(self) -> bool:
        """The database answers, and its schema is the one that this code needs."""
        return at_head("services.identity", self._engine)

    def close(self) -> None:
        """Let the connections go."""
        self._engine.dispose()


def main() -> None:
    """Run identity until a signal ends it."""
    keep_little()
    settings = Settings()
    clock = clock_at(settings.clock_file)
    identity = Identity(settings, clock)
    serve(
        name=NAME,
        settings=settings,
        clock=clock,
        access=ACCESS,
        register=identity.register,
        service_names=SERVICES,
        ready=identity.ready,
        limits=LIMITS,
        on_stop=identity.close,
        tokenless=TOKENLESS,
    )


def _budgets(settings: Settings) -> Budgets:
    window = timedelta(seconds=settings.miss_window_seconds)
    return Budgets(MissBudget(settings.misses, window), MissBudget(settings.wrong_codes, window))


def _lifetimes(settings: Settings) -> dict[Scope, timedelta]:
    return {
        Scope.AWARD: timedelta(seconds=settings.award_grant_seconds),
        Scope.REDEEM: timedelta(seconds=settings.redeem_grant_seconds),
    }


def _keys(path: Path) -> list[bytes]:
    """The keys in a secret file, 32 bytes each."""
    content = read_secret(path)
    if not content or len(content) % KEY_BYTES:
        raise ValueError(f"{path} must hold {KEY_BYTES} raw bytes for each key; it has {len(content)}")
    return [content[start : start + KEY_BYTES] for start in range(0, len(content), KEY_BYTES)]


def _one_key(path: Path) -> bytes:
    keys = _keys(path)
    if len(keys) != 1:
        raise ValueError(f"{path} must hold one key; what was made with another one could not be found again")
    return keys[0]


if __name__ == "__main__":
    main()
