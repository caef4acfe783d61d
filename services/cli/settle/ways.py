"""What the commands of `settle` share: who acts, how often something counts, and how an answer looks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Protocol, TypeVar

import grpc
import typer
from google.type.money_pb2 import Money

from services.cli.options import Output, answers, home_of
from services.cli.settle.rehearsing import RehearsedCalls, rehearsal
from services.sandbox.clients import Calls
from services.sandbox.platform import OPERATOR, running_platform
from shared.ids import derived
from shared.rpc.channel import call

_AMOUNT = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
DONE, NEEDS_A_PERSON, BLOCKED = 0, 3, 4
SECONDS = 60.0

PersonOption = Annotated[
    str, typer.Option("--as", help="Who does it: a user with a certificate of the operator.", envvar="COALITION_USER")
]
WhyOption = Annotated[str, typer.Option("--why", help="The reason, for the record.")]
PartnerArgument = Annotated[str, typer.Argument(help="The partner's id.")]
LOCAL = OPERATOR
"""Who does it when nobody is named."""

Request = TypeVar("Request", contravariant=True)
Page = TypeVar("Page")


class Paged(Protocol):
    """An answer of a List call."""

    next_page_token: str


def calls(home: Path | None, person: str) -> Calls:
    """The services as this person calls them."""
    platform = running_platform(home_of(home))
    made = RehearsedCalls if rehearsal() else Calls
    return made(platform.targets, platform.authority.operator(person))


def request_id(command: str, *facts: object) -> str:
    """The same for the same command about the same things: so a command may be repeated."""
    return str(derived("coalition settle", command, *map(str, facts)))


def pages(method: grpc.UnaryUnaryMultiCallable[Request, Page], request: Request) -> Iterator[Page]:
    """All pages of a List call."""
    while True:
        page = call(method, request, timeout=SECONDS)
        yield page
        token = getattr(page, "next_page_token", "")
        if not token:
            return
        setattr(request, "page_token", token)  # noqa: B010  every List request has one, which no type says


def named(kind: str, text: str) -> str:
    """`B42`, `42` and `batches/42` are one batch; `W7` and `windows/7` one window."""
    folder = {"B": "batches", "W": "windows", "P": "proposals"}[kind]
    bare = text.removeprefix(f"{folder}/").removeprefix(kind).removeprefix(kind.lower())
    if not bare.isdecimal():
        raise typer.BadParameter(f"{text!r} is no {folder}: write {kind}42 or {folder}/42")
    return f"{folder}/{int(bare)}"


def window_name(text: str) -> str:
    """`open`, `W42`, `windows/42`."""
    return "windows/open" if text in {"open", "windows/open"} else named("W", text)


def partner_name(text: str) -> str:
    """`grocer` and `partners/grocer` are one partner."""
    return f"partners/{text.removeprefix('partners/')}"


def second_person(proposal: str) -> str:
    """The next step where somebody else decides; none without a proposal."""
    return f"another person: coalition settle proposals {proposal.replace('proposals/', 'P')}" if proposal else ""


def tell(facts: Mapping[str, object], *, then: str = "", code: int = DONE, output: Output = Output.TEXT) -> None:
    """Answer, name the next step, and end with the code that a script looks at. What was rehearsed calls for none."""
    if (rehearsed := rehearsal()) and rehearsed.decided:
        facts, then, code = {**facts, "validated": True}, "the same without --validate-only", DONE
    if output is Output.JSON:
        print(json.dumps({**facts, "next": then, "code": code}, sort_keys=True))
    else:
        for name, value in facts.items():
            _print(name, value)
        if then:
            answers.print(f"next: {then}")
    if code:
        raise typer.Exit(code)


def amount_of(text: str) -> Money:
    """`1000.00 EUR` as `google.type.Money`; whether the currency has so many digits is the service's to say."""
    digits, _, currency = text.strip().partition(" ")
    if not _AMOUNT.fullmatch(digits) or not _CURRENCY.fullmatch(currency.strip()):
        raise typer.BadParameter(f"{text!r} is no amount: write '1000.00 EUR'")
    units, _, rest = digits.lstrip("-").partition(".")
    sign = -1 if digits.startswith("-") else 1
    return Money(currency_code=currency.strip(), units=sign * int(units), nanos=sign * int(rest.ljust(9, "0")))


def money(amount: object) -> str:
    """`google.type.Money` as people write it."""
    units, nanos = getattr(amount, "units", 0), getattr(amount, "nanos", 0)
    sign = "-" if units < 0 or nanos < 0 else ""
    digits = f"{abs(nanos):09}".rstrip("0").ljust(2, "0")
    return f"{sign}{abs(units)}.{digits} {getattr(amount, 'currency_code', '')}"


def _print(name: str, value: object) -> None:
    if isinstance(value, list):
        for one in value:
            row = one.values() if isinstance(one, dict) else [one]
            answers.print(f"  {name[:-1] if name.endswith('s') else name}: " + "  ".join(str(part) for part in row))
    else:
        answers.print(f"{name}: {value}")
