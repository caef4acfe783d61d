"""Composition root: settings, engine, other services, servicers, healer, server. Nothing else knows them all."""

from __future__ import annotations

import grpc
from coalition.catalogue.v1 import catalogue_pb2_grpc as rpc
from coalition.identity.v1.identity_pb2_grpc import PartnerServiceStub
from coalition.ledger.v1.ledger_pb2_grpc import LedgerServiceStub

from services.catalogue.access import ACCESS, METHOD_BYTES
from services.catalogue.api.earn_rules import EarnRuleServicer
from services.catalogue.api.healing import Healer
from services.catalogue.api.ledger import Ledger
from services.catalogue.api.partners import Partners
from services.catalogue.api.purchases import PurchaseServicer
from services.catalogue.api.rating import Rater
from services.catalogue.api.recording import Recorder
from services.catalogue.api.refunding import Refunder
from services.catalogue.api.rulebook import RuleBook
from services.catalogue.settings import Settings
from shared.clock import Clock, clock_at
from shared.credentials.grants import GrantRing
from shared.db.engine import make_engine
from shared.db.migrate import at_head
from shared.db.sessions import Sessions
from shared.log import configure
from shared.memory import keep_little
from shared.rpc.channel import service_channel
from shared.rpc.limits import Limits
from shared.rpc.pages import page_key
from shared.rpc.server import serve

NAME = "catalogue"
SERVICES = tuple(f"coalition.catalogue.v1.{name}" for name in ("EarnRuleService", "PurchaseService"))
LIMITS = Limits(per_method_bytes=METHOD_BYTES)


class Catalogue:
    """The service, wired and not yet listening."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._engine = make_engine(settings)
        self._to_ledger = service_channel(settings.ledger_target, settings)
        self._to_identity = service_channel(settings.identity_target, settings)
        sessions, grants = Sessions(self._engine), GrantRing.from_file(settings.grant_keys_file)
        ledger = Ledger(LedgerServiceStub(self._to_ledger), grants, clock, settings.ledger_grant_seconds)
        rulebook = RuleBook(sessions, settings.rules_seconds)
        recorder = Recorder(sessions, ledger)
        refunder = Refunder(sessions, ledger, recorder, rulebook)

        partners = Partners(PartnerServiceStub(self._to_identity))
        self._rules = EarnRuleServicer(sessions, rulebook, partners, clock, page_key(settings))
        self._purchases = PurchaseServicer(sessions, Rater(grants, rulebook), recorder, refunder, clock)
        self._healer = Healer(sessions, recorder, refunder, settings.heal_seconds)

    def register(self, server: grpc.Server) -> None:
        """Add the two services to a server."""
        rpc.add_EarnRuleServiceServicer_to_server(self._rules, server)
        rpc.add_PurchaseServiceServicer_to_server(self._purchases, server)

    def ready(self) -> bool:
        """The database answers, and its schema is the one that this code needs. Other services may be away."""
        return at_head("services.catalogue", self._engine)

    def start(self) -> None:
        """Begin to heal."""
        self._healer.start()

    def close(self) -> None:
        """End the healer, let the connections go."""
        self._healer.stop()
        self._to_ledger.close()
        self._to_identity.close()
        self._engine.dispose()


def main() -> None:
    """Run the catalogue until a signal ends it."""
    keep_little()
    settings = Settings()
    configure(NAME, settings.log_level, unknown_fields=settings.log_unknown_fields)
    clock = clock_at(settings.clock_file)
    catalogue = Catalogue(settings, clock)
    catalogue.start()
    serve(
        name=NAME,
        settings=settings,
        clock=clock,
        access=ACCESS,
        register=catalogue.register,
        service_names=SERVICES,
        ready=catalogue.ready,
        limits=LIMITS,
        on_stop=catalogue.close,
    )


if __name__ == "__main__":
    main()
