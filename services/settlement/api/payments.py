"""Instructions and files over the wire: shown, downloaded, approved; what people propose about those that failed."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

import grpc
from coalition.settlement.v1 import payments_pb2 as pb
from coalition.settlement.v1 import payments_pb2_grpc as rpc
from sqlalchemy import Connection

from services.settlement.api.once import Once
from services.settlement.api.payment_answers import instruction_pb, payment_file_pb
from services.settlement.domain.evidence import Verdict
from services.settlement.store import accounts, files, instructions, repairs, sending
from services.settlement.store.files import File
from services.settlement.store.instructions import Stored
from shared.clock import Clock
from shared.db.sessions import Sessions
from shared.rpc.caller import caller
from shared.rpc.deadline import time_left
from shared.rpc.pages import open_page, page_size, query_fingerprint, seal_page

_INSTRUCTION_STATES = {number: name.removeprefix("INSTRUCTION_STATE_") for name, number in pb.InstructionState.items()}
_FILE_STATES = {number: name.removeprefix("PAYMENT_FILE_STATE_") for name, number in pb.PaymentFileState.items()}


class PaymentServicer(rpc.PaymentServiceServicer):
    """`answer_within` is the time that the bank has to answer a file."""

    def __init__(self, sessions: Sessions, clock: Clock, page_key: bytes, answer_within: timedelta) -> None:
        self._sessions = sessions
        self._clock = clock
        self._page_key = page_key
        self._answer_within = answer_within
        self._once = Once(sessions, clock)

    def GetInstruction(self, request: pb.GetInstructionRequest, context: grpc.ServicerContext) -> pb.Instruction:
        return self._instruction(request.name, context)

    def ListInstructions(
        self, request: pb.ListInstructionsRequest, context: grpc.ServicerContext
    ) -> pb.ListInstructionsResponse:
        size, bound = page_size(request.page_size), query_fingerprint("ListInstructions", caller(context), request)
        position = open_page(self._page_key, bound, request.page_token)
        state = _INSTRUCTION_STATES[request.state] if request.state else ""
        batch, after = request.parent.removeprefix("batches/"), str(position[1]) if position else ""
        with self._sessions.snapshot(time_left(context)) as connection:
            if batch == "-":
                rest = bool(position[0]) if position else False
                found = instructions.page(connection, (rest, after), size + 1, state)
            else:
                found = instructions.of_batch(connection, int(batch), after, size + 1, state)
            changing = self._changing(connection, found)
        token = ""
        if len(found) > size:
            last = found[size - 1]
            token = seal_page(self._page_key, bound, [int(last.state != "UNKNOWN"), last.name])
        shown = [instruction_pb(one, account_changing=(one.partner, one.currency) in changing) for one in found[:size]]
        return pb.ListInstructionsResponse(instructions=shown, next_page_token=token)

    def SupersedeInstruction(
        self, request: pb.SupersedeInstructionRequest, context: grpc.ServicerContext
    ) -> pb.Instruction:
        by, at = caller(context).principal, self._clock.now()

        def propose(connection: Connection) -> str:
            return repairs.propose_another(connection, request.name, request.why, by, at).name

        meaning = [request.name, request.why]
        proposal = self._once("SupersedeInstruction", request.request_id, meaning, context, propose)
        return self._instruction(request.name, context, proposal)

    def CarryOver(self, request: pb.CarryOverRequest, context: grpc.ServicerContext) -> pb.Instruction:
        by, at = caller(context).principal, self._clock.now()

        def propose(connection: Connection) -> str:
            return repairs.propose_carrying(connection, request.name, request.why, by, at).name

        proposal = self._once("CarryOver", request.request_id, [request.name, request.why], context, propose)
        return self._instruction(request.name, context, proposal)

    def ResolveUnknown(self, request: pb.ResolveUnknownRequest, context: grpc.ServicerContext) -> pb.Instruction:
        by, at, title = caller(context).principal, self._clock.now(), request.document_title
        verdict = Verdict(_INSTRUCTION_STATES[request.outcome])

        def propose(connection: Connection) -> str:
            document = request.document
            return repairs.propose_fate(connection, request.name, verdict, document, title, by, at).name

        meaning = [request.name, verdict.value, sha256(request.document).hexdigest(), title]
        proposal = self._once("ResolveUnknown", request.request_id, meaning, context, propose)
        return self._instruction(request.name, context, proposal)

    def GetPaymentFile(self, request: pb.GetPaymentFileRequest, context: grpc.ServicerContext) -> pb.PaymentFile:
        return self._file(request.name, context)

    def ListPaymentFiles(
        self, request: pb.ListPaymentFilesRequest, context: grpc.ServicerContext
    ) -> pb.ListPaymentFilesResponse:
        size, bound = page_size(request.page_size), query_fingerprint("ListPaymentFiles", caller(context), request)
        position = open_page(self._page_key, bound, request.page_token)
        batch, after = request.parent.removeprefix("batches/"), str(position[0]) if position else ""
        state = _FILE_STATES[request.state] if request.state else ""
        with self._sessions.reading(time_left(context)) as connection:
            found = files.page(connection, 0 if batch == "-" else int(batch), after, size + 1, state)
        token = seal_page(self._page_key, bound, [found[size - 1].name]) if len(found) > size else ""
        shown = [payment_file_pb(one) for one in found[:size]]
        return pb.ListPaymentFilesResponse(payment_files=shown, next_page_token=token)

    def DownloadFile(self, request: pb.DownloadFileRequest, context: grpc.ServicerContext) -> pb.DownloadFileResponse:
        with self._sessions.snapshot(time_left(context)) as connection:
            file = files.found(connection, request.name)
            content = files.content(connection, file)
        return pb.DownloadFileResponse(payment_file=payment_file_pb(file), content=content)

    def ApproveFile(self, request: pb.ApproveFileRequest, context: grpc.ServicerContext) -> pb.PaymentFile:
        by, at = caller(context).principal, self._clock.now()

        def approve(connection: Connection) -> str:
            file: File = files.approve_one(connection, request.name, request.sha256, by, at)
            repairs.release_late(connection, file.batch, at)
            return file.name

        meaning = [request.name, request.sha256.hex()]
        return self._file(self._once("ApproveFile", request.request_id, meaning, context, approve), context)

    def MarkTransmitted(self, request: pb.MarkTransmittedRequest, context: grpc.ServicerContext) -> pb.PaymentFile:
        by, at = caller(context).principal, self._clock.now()

        def mark(connection: Connection) -> str:
            return sending.mark_transmitted(connection, request.name, self._answer_within, by, at).name

        return self._file(self._once("MarkTransmitted", request.request_id, request.name, context, mark), context)

    def _instruction(self, name: str, context: grpc.ServicerContext, proposal: str = "") -> pb.Instruction:
        with self._sessions.snapshot(time_left(context)) as connection:
            stored = instructions.found(connection, name)
            changing = bool(self._changing(connection, [stored]))
        return instruction_pb(stored, account_changing=changing, proposal=proposal)

    def _changing(self, connection: Connection, found: list[Stored]) -> set[tuple[str, str]]:
        """Partners, with the currency, whose money goes to the account they had before."""
        partners = {one.partner for one in found}
        return set(accounts.cooling_off(connection, partners, self._clock.now())) if partners else set()

    def _file(self, name: str, context: grpc.ServicerContext) -> pb.PaymentFile:
        with self._sessions.reading(time_left(context)) as connection:
            return payment_file_pb(files.found(connection, name))
