"""Composition root of the ledger: settings, engine, writer, servicer, server. Nothing else knows them all."""

from __future__ import annotations

from functools import partial

import grpc
from coalition.ledger.v1 import ledger_pb2 as pb
from coalition.ledger.v1 import ledger_pb2_grpc as rpc
from coalition.ledger.v1 import peers_pb2 as peers_pb
from coalition.ledger.v1 import peers_pb2_grpc as peers_rpc
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.ledger.access import ACCESS, METHOD_BYTES
from services.ledger.api.evidence import Evidence
from services.ledger.api.feed import Feed
from services.ledger.api.peers import PeerCalls, PeerServicer
from services.ledger.api.service import LedgerServicer
from services.ledger.api.wishes import Wishes
from services.ledger.settings import Settings
from services.ledger.store.adjustments import Adjustments
from services.ledger.store.allowances import Allowances
from services.ledger.store.balances import Balances
from services.ledger.store.checker import Checker
from services.ledger.store.checkpoints import Checkpoints
from services.ledger.store.deployment import prepare
from services.ledger.store.gauges import CheckGauges, PostingGauges
from services.ledger.store.history import History
from services.ledger.store.leases import Leases
from services.ledger.store.partitions import Partitions, Upkeep
from services.ledger.store.peers import Peers
from services.ledger.store.policies import Policies
from services.ledger.store.readers import Readers
from services.ledger.store.stripes import buckets_of
from services.ledger.store.sweeper import Sweeper
from services.ledger.store.transfers import Transfers
from services.ledger.store.tree import Tree
from services.ledger.store.tree.keeper import TreeKeeper
from services.ledger.store.verifier import Verifier
from services.ledger.store.writer import LaneLimits, Writer
from shared.clock import clock_at
from shared.credentials.grants import GrantRing
from shared.credentials.keys import key_id, load_private
from shared.db.engine import make_engine
from shared.db.migrate import at_head
from shared.memory import collect_the_young, keep_little
from shared.metrics import Metrics
from shared.rpc.channel import peer_channel
from shared.rpc.pages import page_key
from shared.rpc.server import Limits, serve

SERVICE = pb.DESCRIPTOR.services_by_name["LedgerService"].full_name
PEERS = peers_pb.DESCRIPTOR.services_by_name["PeerService"].full_name


def main() -> None:
    keep_little()
    settings = Settings()
    clock = clock_at(settings.clock_file)
    programme = settings.programme()
    engine = make_engine(settings)
    writing_engine = make_engine(settings, pool_size=settings.lanes, idle_seconds=settings.lease_seconds)
    keeping_engine = make_engine(settings, pool_size=4, idle_seconds=settings.lease_seconds)
    prepare(engine, settings.buckets)
    policies = Policies(keeping_engine, clock)
    leases = Leases(keeping_engine, settings.name, settings.address, settings.buckets, settings.lease_seconds)

    signing_key = load_private(settings.checkpoint_key_file)
    public_key = signing_key.public_key()
    signer = key_id(public_key)
    metrics = Metrics()
    posting = PostingGauges(metrics.registry)
    partitions = Partitions()
    upkeep = Upkeep(engine, partitions, clock)
    limits = LaneLimits(settings.queue_size, settings.batch_size, settings.linger_ms)
    writer = Writer(
        writing_engine,
        clock,
        programme,
        settings.buckets,
        settings.lanes,
        limits,
        holdings=leases,
        policies=policies.current,
        partitions=partitions,
        observed=posting,
    )
    posting.stripes(lambda: len(leases.held()))
    posting.queue(lambda: writer.waiting)
    peer_calls = PeerCalls(partial(peer_channel, settings=settings))
    writer.peers = peers = Peers(leases, settings.buckets, writer, peer_calls.send, settings.threads // 2)
    transfers = Transfers(engine, writer)
    sweeper = Sweeper(engine, writer, transfers, clock, programme, settings.buckets, settings.sweep_seconds, leases)
    readers = Readers(engine, settings.buckets)
    wishes = Wishes(
        GrantRing.from_file(settings.grant_keys_file),
        clock,
        settings.buckets,
        hold_seconds=settings.hold_seconds,
        late_days=settings.late_days,
    )
    tree = Tree(engine)
    tree_keeper = TreeKeeper(tree, settings.tree_seconds)
    checkpoints = Checkpoints(engine, tree, signing_key.sign, signer)
    checker = Checker(
        engine,
        clock,
        CheckGauges(metrics.registry),
        settings.buckets,
        buckets=lambda: (bucket for stripe in leases.held() for bucket in buckets_of(stripe, settings.buckets)),
        pause_seconds=settings.check_seconds,
        duty_percent=settings.check_duty_percent,
    )
    servicer = LedgerServicer(
        wishes=wishes,
        writer=writer,
        readers=readers,
        balances=Balances(engine),
        history=History(engine, settings.buckets),
        transfers=transfers,
        adjustments=Adjustments(engine),
        checkpoints=checkpoints,
        verifier=Verifier(
            engine, settings.buckets, lambda key, form, mark: key == signer and _holds(public_key, form, mark)
        ),
        evidence=Evidence(checkpoints, tree, readers),
        allowances=Allowances(keeping_engine, clock, settings.buckets),
        policies=policies,
        checker=checker,
        feed=Feed(readers, settings.long_polls),
        programme=programme,
        clock=clock,
        page_key=page_key(settings),
        streams=settings.streams,
    )

    def register(server: grpc.Server) -> None:
        rpc.add_LedgerServiceServicer_to_server(servicer, server)
        peers_rpc.add_PeerServiceServicer_to_server(PeerServicer(writer.answered_here), server)

    def stop() -> None:
        upkeep.stop()
        tree_keeper.stop()
        checker.stop()
        sweeper.stop()
        writer.stop()
        leases.stop()
        peers.stop()
        peer_calls.close()
        policies.stop()

    collect_the_young()
    policies.start()
    leases.start()
    sweeper.start()
    checker.start()
    tree_keeper.start()
    upkeep.start()
    serve(
        name="ledger",
        settings=settings,
        clock=clock,
        access=ACCESS,
        register=register,
        service_names=[SERVICE, PEERS],
        ready=lambda: writer.is_alive() and at_head("services.ledger", engine),
        limits=Limits(threads=settings.threads, waiting_calls=settings.waiting_calls, per_method_bytes=METHOD_BYTES),
        on_stop=stop,
        metrics=metrics,
    )


def _holds(key: Ed25519PublicKey, form: bytes, signature: bytes) -> bool:
    try:
        key.verify(signature, form)
    except InvalidSignature:
        return False
    return True


if __name__ == "__main__":
    main()
