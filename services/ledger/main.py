"""Composition root of the ledger: settings, engine, writer, servicer, server. Nothing else knows them all."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import grpc
from coalition.ledger.v1 import ledger_pb2 as pb
from coalition.ledger.v1 import ledger_pb2_grpc as rpc
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.ledger.access import ACCESS, METHOD_BYTES
from services.ledger.api.feed import Feed
from services.ledger.api.service import LedgerServicer
from services.ledger.api.wishes import Wishes
from services.ledger.domain.programme import Programme
from services.ledger.settings import Settings
from services.ledger.store.checkpoints import Checkpoints
from services.ledger.store.deployment import prepare
from services.ledger.store.readers import Readers
from services.ledger.store.sweeper import Sweeper
from services.ledger.store.verifier import Verifier
from services.ledger.store.writer import LaneLimits, Writer
from shared.clock import clock_at
from shared.credentials.grants import GrantRing
from shared.credentials.keys import key_id, load_private
from shared.db.engine import make_engine
from shared.db.migrate import at_head
from shared.rpc.pages import page_key
from shared.rpc.server import Limits, serve

SERVICE = pb.DESCRIPTOR.services_by_name["LedgerService"].full_name


def main() -> None:
    settings = Settings()
    clock = clock_at(settings.clock_file)
    programme = Programme(ZoneInfo(settings.time_zone), settings.lot_days, settings.refund_grace_days)
    engine = make_engine(settings)
    writing_engine = make_engine(settings, pool_size=settings.lanes)
    prepare(engine, settings.buckets)

    signing_key = load_private(settings.checkpoint_key_file)
    public_key = signing_key.public_key()
    signer = key_id(public_key)
    limits = LaneLimits(settings.queue_size, settings.batch_size, settings.linger_ms)
    writer = Writer(writing_engine, clock, programme, settings.buckets, settings.lanes, limits)
    sweeper = Sweeper(engine, writer, clock, programme, settings.buckets, settings.sweep_seconds)
    readers = Readers(engine, settings.buckets)
    wishes = Wishes(
        GrantRing.from_file(settings.grant_keys_file),
        clock,
        settings.buckets,
        hold_seconds=settings.hold_seconds,
        late_days=settings.late_days,
    )
    servicer = LedgerServicer(
        wishes=wishes,
        writer=writer,
        readers=readers,
        checkpoints=Checkpoints(engine, signing_key.sign, signer),
        verifier=Verifier(
            engine, settings.buckets, lambda key, form, mark: key == signer and _holds(public_key, form, mark)
        ),
        feed=Feed(readers, settings.long_polls),
        clock=clock,
        page_key=page_key(settings),
    )

    def register(server: grpc.Server) -> None:
        rpc.add_LedgerServiceServicer_to_server(servicer, server)

    def stop() -> None:
        sweeper.stop()
        writer.stop()

    sweeper.start()
    serve(
        name="ledger",
        settings=settings,
        clock=clock,
        access=ACCESS,
        register=register,
        service_names=[SERVICE],
        ready=lambda: writer.is_alive() and at_head("services.ledger", engine),
        limits=Limits(threads=settings.threads, per_method_bytes=METHOD_BYTES),
        on_stop=stop,
    )


def _holds(key: Ed25519PublicKey, form: bytes, signature: bytes) -> bool:
    try:
        key.verify(signature, form)
    except InvalidSignature:
        return False
    return True


if __name__ == "__main__":
    main()
