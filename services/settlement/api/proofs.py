"""Proofs over the wire: explanations, inclusion, seals, and the pack that an auditor takes along."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
from coalition.settlement.v1 import proofs_pb2 as pb
from coalition.settlement.v1 import proofs_pb2_grpc as rpc

from services.settlement.api.pieces import pieces
from services.settlement.domain.documents import Signer
from services.settlement.domain.refusals import StatementNotFound
from services.settlement.store import explain, inclusion, lines_of_bank, packs, seals
from services.settlement.store.batches import rows
from services.settlement.store.explain import Owed, Payment
from shared.db.sessions import Sessions
from shared.rpc import wire
from shared.rpc.caller import Role, caller
from shared.rpc.deadline import time_left


class ProofServicer(rpc.ProofServiceServicer):
    """Reads only. `signer` signs the manifest of a pack."""

    def __init__(self, sessions: Sessions, signer: Signer) -> None:
        self._sessions = sessions
        self._signer = signer

    def ExplainEntry(self, request: pb.ExplainEntryRequest, context: grpc.ServicerContext) -> pb.EntryExplanation:
        bucket, seq = _place(request.name)
        with self._sessions.snapshot(time_left(context)) as connection:
            found = explain.entry(connection, bucket, seq)
        return pb.EntryExplanation(
            name=request.name,
            window=found.window,
            obligations=[_obligation_pb(one, found.window) for one in found.owed],
            batches=found.batches,
            payments=[_payment_pb(one) for one in found.payments],
            waits_for=found.waits_for,
        )

    def ExplainBankLine(
        self, request: pb.ExplainBankLineRequest, context: grpc.ServicerContext
    ) -> pb.BankLineExplanation:
        line = int(request.name.removeprefix("bankLines/"))
        with self._sessions.snapshot(time_left(context)) as connection:
            lines_of_bank.found(connection, line)
            found = explain.bank_line(connection, line)
        return pb.BankLineExplanation(
            name=request.name,
            payments=[_payment_pb(one) for one in found.payments],
            batches=found.batches,
            statements=found.statements,
            waits_for=found.waits_for,
        )

    def GetInclusionProof(
        self, request: pb.GetInclusionProofRequest, context: grpc.ServicerContext
    ) -> pb.InclusionProof:
        _, partner, _, window = request.statement.split("/")
        by = caller(context)
        if by.role is Role.PARTNER and by.partner != partner:
            raise StatementNotFound(statement=request.statement)
        with self._sessions.snapshot(time_left(context)) as connection:
            place = _place(request.entry) if request.entry else None
            found = inclusion.proof(connection, partner, int(window), request.line, place)
        return pb.InclusionProof(leaf=found.leaf, index=found.index, size=found.size, path=found.path, root=found.root)

    def GetSeal(self, request: pb.GetSealRequest, context: grpc.ServicerContext) -> pb.Seal:
        with self._sessions.reading(time_left(context)) as connection:
            found = seals.found(connection, int(request.window.removeprefix("windows/")))
        return pb.Seal(name=f"{request.window}/seal", content=found.document, sha256=found.sha256)

    def ExportPack(
        self, request: pb.ExportPackRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.ExportPackResponse]:
        with self._sessions.snapshot(time_left(context)) as connection:
            batch = rows.found(connection, request.batch)
            for piece in pieces(packs.pack(connection, batch, self._signer)):
                yield pb.ExportPackResponse(piece=piece)


def _place(name: str) -> tuple[int, int]:
    bucket, _, seq = name.removeprefix("entries/").partition("-")
    return int(bucket), int(seq)


def _obligation_pb(one: Owed, window: str) -> pb.ExplainedObligation:
    number = window.removeprefix("windows/")
    return pb.ExplainedObligation(
        leg=f"LEG_{one.leg.value}",
        debtor=one.debtor,
        creditor=one.creditor,
        contract_version=f"partners/{one.version.partner}/contract/versions/{one.version.number}",
        points=one.points,
        exact=wire.decimal_pb(one.exact),
        currency=one.currency,
        share=wire.money_pb(one.share_minor, one.currency) if one.share_minor is not None else None,
        statement_lines=[
            pb.StatementLine(statement=f"partners/{side}/statements/{number}", line=line)
            for side, line in one.statements
        ],
    )


def _payment_pb(one: Payment) -> pb.ExplainedPayment:
    signed = one.amount_minor if one.kind == "PAY" else -one.amount_minor
    return pb.ExplainedPayment(
        instruction=one.name,
        partner=one.partner,
        amount=wire.money_pb(signed, one.currency),
        state=one.state,
        file=one.file,
        bank_line=one.bank_line,
    )
