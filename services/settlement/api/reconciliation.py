"""Reconciliation: what the bank says comes in here, and breaks are explained, resolved or given up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import datetime

import grpc
from coalition.settlement.v1 import reconciliation_pb2 as pb
from coalition.settlement.v1 import reconciliation_pb2_grpc as rpc
from sqlalchemy import Connection

from services.settlement.api.imports import Import
from services.settlement.api.once import Once
from services.settlement.api.reconciliation_answers import break_pb, line_pb
from services.settlement.api.uploads import Uploads
from services.settlement.domain.breaks import OwnImport, WriteOffTooLarge
from services.settlement.domain.machines import BREAK
from services.settlement.domain.proposal import Kind, Proposal
from services.settlement.store import breaks, clearing, lines_of_bank, matching, proposals
from services.settlement.store.bank_files import Follow
from services.settlement.store.breaks import Break
from shared.canonical import Canonical
from shared.clock import Clock
from shared.db.sessions import Sessions
from shared.rpc import wire
from shared.rpc.caller import caller
from shared.rpc.deadline import time_left
from shared.rpc.pages import open_page, page_size, query_fingerprint, seal_page


class ReconciliationServicer(rpc.ReconciliationServiceServicer):
    """`write_off_limit_minor`: the largest amount, in minor units of any currency, that two persons may give up."""

    def __init__(
        self, sessions: Sessions, clock: Clock, page_key: bytes, follow: Follow, write_off_limit_minor: int
    ) -> None:
        self._sessions = sessions
        self._clock = clock
        self._page_key = page_key
        self._follow = follow
        self._limit_minor = write_off_limit_minor
        self._once = Once(sessions, clock)
        self._uploads = Uploads()
        self._import = Import(sessions, clock, follow)

    def ImportBankFile(self, request: pb.ImportBankFileRequest, context: grpc.ServicerContext) -> pb.BankFile:
        return self._import(request, request.content, context)

    def UploadBankFile(
        self, request_iterator: Iterator[pb.UploadBankFileRequest], context: grpc.ServicerContext
    ) -> pb.BankFile:
        with self._uploads.one() as gathered:
            header, content = gathered(request_iterator)
            with self._sessions.rehearsing(time_left(context)) if header.validate_only else nullcontext():
                return self._import(header, content, context)

    def ListBankLines(
        self, request: pb.ListBankLinesRequest, context: grpc.ServicerContext
    ) -> pb.ListBankLinesResponse:
        size, bound = page_size(request.page_size), query_fingerprint("ListBankLines", caller(context), request)
        position = open_page(self._page_key, bound, request.page_token)
        outcome = pb.BankLineOutcome.Name(request.outcome).removeprefix("BANK_LINE_OUTCOME_") if request.outcome else ""
        with self._sessions.snapshot(time_left(context)) as connection:
            found = lines_of_bank.page(connection, int(position[0]) if position else 0, size + 1, outcome)
        token = seal_page(self._page_key, bound, [found[size - 1].id]) if len(found) > size else ""
        return pb.ListBankLinesResponse(bank_lines=[line_pb(line) for line in found[:size]], next_page_token=token)

    def RunMatching(self, request: pb.RunMatchingRequest, context: grpc.ServicerContext) -> pb.RunMatchingResponse:
        at = self._clock.now()
        with self._sessions.writing(time_left(context)) as connection:
            outcome = matching.run(connection, caller(context).principal, at)
            clearing.look(connection, caller(context).principal, at)
            for batch in outcome.batches:
                self._follow(connection, batch, at)
        return pb.RunMatchingResponse(
            matched_count=outcome.matched, proposed_count=outcome.proposed, broken_count=outcome.broken
        )

    def MatchBankLine(self, request: pb.MatchBankLineRequest, context: grpc.ServicerContext) -> pb.BankLine:
        by, at, line = caller(context).principal, self._clock.now(), _number(request.name)

        def match(connection: Connection) -> str:
            batch = lines_of_bank.match(connection, line, request.instruction, by, at)
            clearing.look(connection, by, at)
            self._follow(connection, batch, at)
            return request.name

        meaning: Canonical = [request.name, request.instruction]
        self._once("MatchBankLine", request.request_id, meaning, context, match)
        with self._sessions.reading(time_left(context)) as connection:
            return line_pb(lines_of_bank.found(connection, line))

    def GetBreak(self, request: pb.GetBreakRequest, context: grpc.ServicerContext) -> pb.Break:
        with self._sessions.reading(time_left(context)) as connection:
            return break_pb(breaks.found(connection, request.name))

    def ListBreaks(self, request: pb.ListBreaksRequest, context: grpc.ServicerContext) -> pb.ListBreaksResponse:
        size, bound = page_size(request.page_size), query_fingerprint("ListBreaks", caller(context), request)
        position = open_page(self._page_key, bound, request.page_token)
        with self._sessions.snapshot(time_left(context)) as connection:
            after = int(position[0]) if position else 0
            found = breaks.page(connection, after, size + 1, pending=request.pending)
        token = seal_page(self._page_key, bound, [found[size - 1].number]) if len(found) > size else ""
        return pb.ListBreaksResponse(breaks=[break_pb(one) for one in found[:size]], next_page_token=token)

    def ExplainBreak(self, request: pb.ExplainBreakRequest, context: grpc.ServicerContext) -> pb.Break:
        by, at, etag = caller(context).principal, self._clock.now(), wire.etag_of(request.etag)

        def explain(connection: Connection) -> str:
            breaks.explain(connection, request.name, request.explanation, etag, by, at)
            clearing.over(connection, breaks.found(connection, request.name), at)
            return request.name

        meaning: Canonical = [request.name, request.explanation]
        return self._moved(self._once("ExplainBreak", request.request_id, meaning, context, explain), context)

    def RefuteBreak(self, request: pb.RefuteBreakRequest, context: grpc.ServicerContext) -> pb.Break:
        by, at, etag = caller(context).principal, self._clock.now(), wire.etag_of(request.etag)

        def refute(connection: Connection) -> str:
            breaks.refute(connection, request.name, request.reason, etag, by, at)
            return request.name

        meaning: Canonical = [request.name, request.reason]
        return self._moved(self._once("RefuteBreak", request.request_id, meaning, context, refute), context)

    def ResolveBreak(self, request: pb.ResolveBreakRequest, context: grpc.ServicerContext) -> pb.Break:
        by, at, etag = caller(context).principal, self._clock.now(), wire.etag_of(request.etag)

        def resolve(connection: Connection) -> str:
            breaks.resolve(connection, request.name, request.resolution, request.evidence_sha256, etag, by, at)
            clearing.over(connection, breaks.found(connection, request.name), at)
            return request.name

        meaning: Canonical = [request.name, request.resolution, request.evidence_sha256.hex()]
        return self._moved(self._once("ResolveBreak", request.request_id, meaning, context, resolve), context)

    def WriteOffBreak(self, request: pb.WriteOffBreakRequest, context: grpc.ServicerContext) -> pb.Break:
        by, at = caller(context).principal, self._clock.now()

        def propose(connection: Connection) -> str:
            found = breaks.found(connection, request.name)
            self._check_write_off(found, by)
            content: Canonical = {
                "amount_minor": found.amount_minor,
                "currency": found.currency,
                "reason": request.reason,
            }
            proposal = proposals.propose(
                connection, Kind.WRITE_OFF, found.name, content, by, at, barred=[found.found_by]
            )
            return proposal.name

        meaning: Canonical = [request.name, request.reason]
        name = self._once("WriteOffBreak", request.request_id, meaning, context, propose)
        with self._sessions.reading(time_left(context)) as connection:
            return break_pb(breaks.found(connection, request.name), proposal=name)

    def _check_write_off(self, found: Break, by: str) -> None:
        BREAK.check(found.name, found.state, "WRITTEN_OFF", "WriteOffBreak")
        breaks.check_ends(found)
        if found.found_by == by:
            raise OwnImport(name=found.name, by=by)
        if found.amount_minor > self._limit_minor:
            raise WriteOffTooLarge(
                name=found.name,
                amount_minor=found.amount_minor,
                currency=found.currency,
                limit_minor=self._limit_minor,
            )

    def _moved(self, name: str, context: grpc.ServicerContext) -> pb.Break:
        with self._sessions.reading(time_left(context)) as connection:
            return break_pb(breaks.found(connection, name))


def written_off(connection: Connection, proposal: Proposal, by: str, at: datetime) -> None:
    """The effect of an approved WRITE_OFF."""
    content = proposal.content
    why = str(content["reason"]) if isinstance(content, dict) else ""
    breaks.write_off(connection, proposal.subject, why, by, at)
    clearing.over(connection, breaks.found(connection, proposal.subject), at)


def _number(name: str) -> int:
    return int(name.rpartition("/")[2])
