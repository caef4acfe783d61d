"""`coalition settle --validate-only COMMAND`: the services decide and answer as ever, and keep nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeVar

import grpc
import typer
from google.protobuf.message import Message

from services.sandbox.clients import Calls

if TYPE_CHECKING:
    from grpc import _CallFuture

Request = TypeVar("Request")
Response = TypeVar("Response")


@dataclass
class Rehearsal:
    """What a command that is only rehearsed has come to. `decided`: a service was asked to decide something."""

    decided: bool = False


_REHEARSAL: ContextVar[Rehearsal | None] = ContextVar("rehearsal", default=None)


def settle(
    validate_only: Annotated[
        bool,
        typer.Option("--validate-only", help="Say what the command would do, or why it would be refused; do nothing."),
    ] = False,
) -> None:
    """Close, net, approve, pay, reconcile."""
    _REHEARSAL.set(Rehearsal() if validate_only else None)


def rehearsal() -> Rehearsal | None:
    """That of this command; None when it counts."""
    return _REHEARSAL.get()


class RehearsedCalls(Calls):
    """The services, asked with `validate_only` wherever they could be asked to do something."""

    def channel(self, service: str) -> grpc.Channel:
        return grpc.intercept_channel(super().channel(service), _ValidateOnly())


class _ValidateOnly(grpc.UnaryUnaryClientInterceptor):
    def intercept_unary_unary(
        self,
        continuation: Callable[[grpc.ClientCallDetails, Request], _CallFuture[Response]],
        client_call_details: grpc.ClientCallDetails,
        request: Request,
    ) -> _CallFuture[Response]:
        if isinstance(request, Message) and "validate_only" in request.DESCRIPTOR.fields_by_name:
            only_validated(request)
        return continuation(client_call_details, request)


def only_validated(request: Message) -> None:
    """Make a request that would do something a rehearsal, where this command is one. Raises BadParameter for a second:
    it would need what the first one did not do."""
    if (found := rehearsal()) is None:
        return
    if found.decided:
        raise typer.BadParameter("this command takes several steps, each on what the last one did: see its own options")
    found.decided = True
    setattr(request, "validate_only", True)  # noqa: B010  every write has it, which no type says
