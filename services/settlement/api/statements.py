"""Statements: the bytes that were signed, or a rendering of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import grpc
from coalition.settlement.v1 import settlement_pb2 as pb
from coalition.settlement.v1 import settlement_pb2_grpc as rpc

from services.settlement.api.answers import statement_pb
from services.settlement.domain.refusals import StatementNotFound
from services.settlement.domain.statement import as_csv
from services.settlement.formats.statement_pdf import as_pdf
from services.settlement.formats.statement_xlsx import as_xlsx
from services.settlement.store import statements
from services.settlement.store.statements import Stored
from shared.db.sessions import Sessions
from shared.rpc.caller import Caller, Role, caller
from shared.rpc.deadline import time_left
from shared.rpc.pages import open_page, page_size, query_fingerprint, seal_page

_RENDERED: Mapping[int, Callable[[Mapping[str, Any]], bytes]] = {
    pb.STATEMENT_FORMAT_CSV: as_csv,
    pb.STATEMENT_FORMAT_XLSX: as_xlsx,
    pb.STATEMENT_FORMAT_PDF: as_pdf,
}
"""JSON is what was signed; the others show it."""


class StatementServicer(rpc.StatementServiceServicer):
    """Hands a partner its own statements, the operator all of them."""

    def __init__(self, sessions: Sessions, page_key: bytes) -> None:
        self._sessions = sessions
        self._page_key = page_key

    def GetStatement(self, request: pb.GetStatementRequest, context: grpc.ServicerContext) -> pb.Statement:
        _, partner, _, number = request.name.split("/")
        _check_own(caller(context), partner, request.name)
        with self._sessions.reading(time_left(context)) as connection:
            stored = statements.found(connection, partner, int(number))
        answer = _statement(partner, stored)
        answer.format = request.format or pb.STATEMENT_FORMAT_JSON
        rendered = _RENDERED.get(answer.format)
        answer.content = rendered(json.loads(stored.document)) if rendered else stored.document
        return answer

    def ListStatements(
        self, request: pb.ListStatementsRequest, context: grpc.ServicerContext
    ) -> pb.ListStatementsResponse:
        by = caller(context)
        partner = request.parent.removeprefix("partners/")
        _check_own(by, partner, f"{request.parent}/statements/-")
        size, bound = page_size(request.page_size), query_fingerprint("ListStatements", by, request)
        position = open_page(self._page_key, bound, request.page_token)
        with self._sessions.reading(time_left(context)) as connection:
            found = statements.page(connection, partner, int(position[0]) if position else 0, size + 1)
        token = seal_page(self._page_key, bound, [found[size - 1].number]) if len(found) > size else ""
        return pb.ListStatementsResponse(
            statements=[_statement(partner, stored) for stored in found[:size]], next_page_token=token
        )


def _check_own(by: Caller, partner: str, name: str) -> None:
    """Another partner's statement is not there."""
    if by.role is Role.PARTNER and by.partner != partner:
        raise StatementNotFound(statement=name)


def _statement(partner: str, stored: Stored) -> pb.Statement:
    return statement_pb(partner, stored.number, stored.sha256, (stored.net_minor, stored.currency), stored.created_at)
