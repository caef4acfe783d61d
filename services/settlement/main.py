"""Composition root of settlement: settings, engine, worker, servicers, server. Nothing else knows them all."""

from __future__ import annotations

import grpc
from coalition.settlement.v1 import settlement_pb2 as pb
from coalition.settlement.v1 import settlement_pb2_grpc as rpc

from services.settlement.access import ACCESS
from services.settlement.api.contracts import ContractServicer
from services.settlement.api.journal import Journal
from services.settlement.api.statements import StatementServicer
from services.settlement.api.windows import WindowServicer
from services.settlement.api.worker import Worker
from services.settlement.settings import Settings
from services.settlement.store.books import Signer
from services.settlement.store.closing import Closing
from services.settlement.store.contracts import Contracts
from services.settlement.store.verifier import Verifier
from shared.clock import clock_at
from shared.credentials.keys import key_id, load_private, load_public
from shared.db.engine import make_engine
from shared.db.migrate import at_head
from shared.db.sessions import Sessions
from shared.rpc.channel import service_channel
from shared.rpc.pages import page_key
from shared.rpc.server import serve

NAME = "settlement"
SERVICES = [service.full_name for service in pb.DESCRIPTOR.services_by_name.values()]


def main() -> None:
    settings = Settings()
    clock = clock_at(settings.clock_file)
    engine = make_engine(settings)
    sessions = Sessions(engine)

    statement_key = load_private(settings.statement_key_file)
    signer = Signer(key_id(statement_key.public_key()), statement_key.sign)
    ledger = service_channel(settings.ledger_target, settings)
    journal = Journal(ledger, load_public(settings.checkpoint_public_key_file))
    closing = Closing(sessions, signer)
    worker = Worker(sessions, journal, closing, clock, settings.page_entries, settings.poll_seconds)
    verifier = Verifier(sessions, signer, journal.bucket_after, journal.check)
    key = page_key(settings)

    def register(server: grpc.Server) -> None:
        contracts = ContractServicer(sessions, Contracts(sessions), worker, clock, key)
        rpc.add_ContractServiceServicer_to_server(contracts, server)
        rpc.add_WindowServiceServicer_to_server(WindowServicer(sessions, worker, verifier, key), server)
        rpc.add_StatementServiceServicer_to_server(StatementServicer(sessions, key), server)

    worker.start()
    serve(
        name=NAME,
        settings=settings,
        clock=clock,
        access=ACCESS,
        register=register,
        service_names=SERVICES,
        ready=lambda: worker.is_ready() and at_head("services.settlement", engine),
        on_stop=worker.stop,
    )


if __name__ == "__main__":
    main()
