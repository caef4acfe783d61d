"""Composition root of settlement: settings, engine, workers, servicers, server. Nothing else knows them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import grpc
from coalition.settlement.v1 import (
    approvals_pb2,
    batches_pb2,
    corrections_pb2,
    funding_pb2,
    payments_pb2,
    proofs_pb2,
    reconciliation_pb2,
    reference_pb2,
    reports_pb2,
    settlement_pb2,
    steps_pb2,
)
from coalition.settlement.v1.approvals_pb2_grpc import add_ApprovalServiceServicer_to_server
from coalition.settlement.v1.batches_pb2_grpc import (
    add_BatchServiceServicer_to_server,
    add_CapServiceServicer_to_server,
)
from coalition.settlement.v1.corrections_pb2_grpc import add_CorrectionServiceServicer_to_server
from coalition.settlement.v1.funding_pb2_grpc import add_FundingServiceServicer_to_server
from coalition.settlement.v1.payments_pb2_grpc import (
    add_BankAccountServiceServicer_to_server,
    add_PaymentServiceServicer_to_server,
)
from coalition.settlement.v1.proofs_pb2_grpc import add_ProofServiceServicer_to_server
from coalition.settlement.v1.reconciliation_pb2_grpc import add_ReconciliationServiceServicer_to_server
from coalition.settlement.v1.reference_pb2_grpc import add_ReferenceServiceServicer_to_server
from coalition.settlement.v1.reports_pb2_grpc import add_ReportServiceServicer_to_server
from coalition.settlement.v1.settlement_pb2_grpc import (
    add_ContractServiceServicer_to_server,
    add_StatementServiceServicer_to_server,
    add_WindowServiceServicer_to_server,
)
from coalition.settlement.v1.steps_pb2_grpc import add_StepServiceServicer_to_server
from sqlalchemy import Connection

from services.settlement.access import ACCESS, METHOD_BYTES
from services.settlement.api import duties, reconciliation
from services.settlement.api.allowances import AllowanceTeller
from services.settlement.api.approvals import ApprovalServicer
from services.settlement.api.bank.folder import Folder
from services.settlement.api.bank.http import Http
from services.settlement.api.bank_accounts import BankAccountServicer
from services.settlement.api.batches import BatchServicer
from services.settlement.api.caps import CapServicer
from services.settlement.api.contracts import ContractServicer
from services.settlement.api.corrections import CorrectionServicer
from services.settlement.api.funding import FundingServicer
from services.settlement.api.journal import Journal
from services.settlement.api.payments import PaymentServicer
from services.settlement.api.proofs import ProofServicer
from services.settlement.api.reconciliation import ReconciliationServicer
from services.settlement.api.reference import ReferenceServicer
from services.settlement.api.rehearsal import rehearsing
from services.settlement.api.reports import ReportServicer
from services.settlement.api.statements import StatementServicer
from services.settlement.api.steps import StepServicer
from services.settlement.api.windows import WindowServicer
from services.settlement.api.worker import Worker
from services.settlement.domain.documents import Signer
from services.settlement.domain.proposal import Kind
from services.settlement.domain.sending import Transport
from services.settlement.duties import DUTIES
from services.settlement.settings import Settings
from services.settlement.store import (
    accounts,
    adjustments,
    caps,
    clearing,
    contracts,
    disputes,
    prefundings,
    quarantine,
    reference,
    restored,
    schedule,
    suspense,
)
from services.settlement.store.archive import Archive
from services.settlement.store.batches import defaulting, overriding
from services.settlement.store.batches.following import follow
from services.settlement.store.closing import Closing
from services.settlement.store.instructions import SELF
from services.settlement.store.paying import Paying
from services.settlement.store.proposals import Effects
from services.settlement.store.repairs import Repairs
from services.settlement.store.signing import Signing
from services.settlement.store.stepper import Handler, Stepper
from services.settlement.store.verifier import Verifier
from shared.clock import clock_at
from shared.credentials.keys import key_id, load_private, load_public
from shared.db.engine import make_engine
from shared.db.migrate import at_head
from shared.db.sessions import Sessions
from shared.memory import collect_the_young, keep_little
from shared.rpc.channel import service_channel
from shared.rpc.limits import Limits
from shared.rpc.pages import page_key
from shared.rpc.server import serve

NAME = "settlement"
CONTRACTS = (
    approvals_pb2,
    batches_pb2,
    corrections_pb2,
    funding_pb2,
    payments_pb2,
    proofs_pb2,
    reconciliation_pb2,
    reference_pb2,
    reports_pb2,
    settlement_pb2,
    steps_pb2,
)
SERVICES = [service.full_name for file in CONTRACTS for service in file.DESCRIPTOR.services_by_name.values()]
LIMITS = Limits(per_method_bytes=METHOD_BYTES)


def main() -> None:
    keep_little()
    settings = Settings()
    clock = clock_at(settings.clock_file)
    engine = make_engine(settings)
    sessions = Sessions(engine)
    duties.check_complete(DUTIES, ACCESS)
    roster = duties.Roster(settings.duties_file)

    statement_key = load_private(settings.statement_key_file)
    signer = Signer(key_id(statement_key.public_key()), statement_key.sign)
    ledger = service_channel(settings.ledger_target, settings)
    journal = Journal(ledger, load_public(settings.checkpoint_public_key_file))
    allowances = AllowanceTeller(sessions, ledger, clock)
    worker = Worker(
        sessions,
        journal,
        Closing(sessions, signer),
        Signing(sessions, signer),
        clock,
        settings.page_entries,
        settings.poll_seconds,
        settings.ingest_lanes,
        allowances.hurry,
        settings.window_calendar,
    )
    verifier = Verifier(sessions, signer, journal.bucket_after, journal.check)

    archive = Archive(settings.archive_folder)
    answer_within = timedelta(hours=settings.bank_answer_hours)
    paying = Paying(
        transport_of(settings), archive, follow, answer_within, settings.return_days, settings.collection_return_days
    )
    stepper = Stepper(
        sessions,
        steps_of(paying),
        clock,
        looking(archive),
    )
    effects = effects_of(archive)
    declined: Effects = {Kind.ADJUSTMENT: adjustments.declined}
    key = page_key(settings)

    def decided() -> None:
        worker.hurry()  # entries may have waited for terms
        stepper.hurry()
        allowances.hurry()

    def register(server: grpc.Server) -> None:
        add_ContractServiceServicer_to_server(ContractServicer(sessions, clock, key), server)
        add_WindowServiceServicer_to_server(
            WindowServicer(sessions, worker, verifier, clock, key, settings.window_calendar), server
        )
        add_StatementServiceServicer_to_server(StatementServicer(sessions, key), server)
        add_ApprovalServiceServicer_to_server(
            ApprovalServicer(sessions, effects, declined, clock, key, decided), server
        )
        add_ReferenceServiceServicer_to_server(ReferenceServicer(sessions, clock, key), server)
        add_StepServiceServicer_to_server(
            StepServicer(sessions, stepper, restored.all_disagree(archive), clock, key), server
        )
        add_BatchServiceServicer_to_server(BatchServicer(sessions, clock, key, stepper.hurry), server)
        add_CapServiceServicer_to_server(CapServicer(sessions, clock, key, allowances.hurry), server)
        cooling = timedelta(hours=settings.cooling_off_hours)
        add_BankAccountServiceServicer_to_server(BankAccountServicer(sessions, clock, key, cooling), server)
        add_PaymentServiceServicer_to_server(PaymentServicer(sessions, clock, key, answer_within), server)
        add_FundingServiceServicer_to_server(FundingServicer(sessions, clock, key), server)
        add_ReconciliationServiceServicer_to_server(
            ReconciliationServicer(sessions, clock, key, follow, settings.write_off_limit_minor), server
        )
        add_ReportServiceServicer_to_server(ReportServicer(sessions, journal.bucket_after), server)
        add_ProofServiceServicer_to_server(ProofServicer(sessions, signer), server)
        dispute_within = timedelta(hours=settings.dispute_answer_hours)
        add_CorrectionServiceServicer_to_server(CorrectionServicer(sessions, clock, key, dispute_within), server)

    def stop() -> None:
        for one in (worker, stepper, allowances):
            one.stop()

    collect_the_young()
    for one in (worker, stepper, allowances):
        one.start()
    serve(
        name=NAME,
        settings=settings,
        clock=clock,
        access=ACCESS,
        register=register,
        service_names=SERVICES,
        ready=lambda: worker.is_ready() and at_head("services.settlement", engine),
        on_stop=stop,
        limits=LIMITS,
        own=(duties.CheckDuty(roster, DUTIES),),
        inside=rehearsing(sessions),
    )


def steps_of(paying: Paying) -> Mapping[str, Handler]:
    """What the stepper does for each kind of step."""
    return {**paying.handlers, disputes.OVERDUE: disputes.overdue}


def looking(archive: Archive) -> Callable[[Connection, datetime], None]:
    """What the stepper does before anything else: what stops money stands before the first of it moves."""
    compare = quarantine.looking(restored.archive_disagrees(archive))

    def look(connection: Connection, at: datetime) -> None:
        compare(connection, at)
        clearing.look(connection, SELF, at)

    return look


def effects_of(archive: Archive) -> Effects:
    """What an approval of each kind does."""
    repairs = Repairs(follow)
    return {
        Kind.CONTRACT_VERSION: contracts.publish,
        Kind.BANK_ACCOUNT: accounts.approved,
        Kind.CAP: caps.effect,
        Kind.FX_SET: reference.load_fx_set,
        Kind.CALENDAR: reference.publish_calendar,
        Kind.MODEL: reference.publish_model,
        Kind.WAIVER: suspense.waive,
        Kind.EARLY_CLOSE: schedule.close_early,
        Kind.OVERRIDE: overriding.effect,
        Kind.DEFAULT: defaulting.effect,
        Kind.SUPERSEDE: repairs.supersede,
        Kind.CARRY_OVER: repairs.carry,
        Kind.RESOLVE_UNKNOWN: repairs.resolve,
        Kind.ADJUSTMENT: disputes.adjusted,
        Kind.WRITE_OFF: reconciliation.written_off,
        Kind.PREFUNDING: prefundings.effect,
        Kind.QUARANTINE: quarantine.lifting(restored.all_disagree(archive)),
    }


def transport_of(settings: Settings) -> Transport | None:
    """How files reach the bank; without one a person carries them."""
    if settings.bank_folder:
        return Folder(settings.bank_folder, checks_duplicates=settings.bank_checks_duplicates)
    if settings.bank_address:
        seconds = float(str(settings.bank_seconds))
        return Http(settings.bank_address, checks_duplicates=settings.bank_checks_duplicates, seconds=seconds)
    return None


if __name__ == "__main__":
    main()
