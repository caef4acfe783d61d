"""Bank accounts: entered from a file, because their numbers belong into no shell history; confirmed, listed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from coalition.settlement.v1 import payments_pb2 as pb

from services.cli.options import HomeOption, Output, OutputOption
from services.cli.settle.papers import message_of
from services.cli.settle.shown import listed, shown
from services.cli.settle.ways import (
    LOCAL,
    NEEDS_A_PERSON,
    SECONDS,
    PartnerArgument,
    PersonOption,
    calls,
    partner_name,
    request_id,
    second_person,
    tell,
)
from shared.rpc.channel import call

app = typer.Typer(help="Bank accounts of partners and of the operator.", no_args_is_help=True)
_CHANNELS = ("PHONE", "LETTER", "VISIT", "BANK_CONFIRMATION")
NameArgument = Annotated[str, typer.Argument(help="partners/{partner}/bankAccounts/{number}")]


@app.command()
def add(
    partner: PartnerArgument,
    file: Annotated[Path, typer.Argument(help="A BankAccount as JSON: currency, holder, iban, bic, ...")],
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Enter an account; another person approves it, and somebody confirms it over a second channel."""
    parent, account = partner_name(partner), message_of(file, pb.BankAccount())
    meaning = account.SerializeToString(deterministic=True).hex()
    request = pb.AddBankAccountRequest(
        parent=parent, request_id=request_id("account", parent, meaning), bank_account=account
    )
    made = call(calls(home, person).bank_accounts.AddBankAccount, request, timeout=SECONDS)
    facts = shown(made, "name", "state", "proposal")
    tell(facts, then=second_person(made.proposal), code=NEEDS_A_PERSON, output=output)


@app.command()
def verify(
    name: NameArgument,
    channel: Annotated[str, typer.Option(help=f"How the partner was asked: {', '.join(_CHANNELS)}.")],
    note: Annotated[str, typer.Option(help="Who was asked, and what was said.")],
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Say that an approved account is the partner's, as the partner confirmed over a second channel."""
    if channel not in _CHANNELS:
        raise typer.BadParameter(f"--channel is one of {', '.join(_CHANNELS)}")
    request = pb.VerifyBankAccountRequest(
        name=name,
        request_id=request_id("verify account", name, channel, note),
        channel=f"VERIFICATION_CHANNEL_{channel}",
        note=note,
    )
    done = call(calls(home, person).bank_accounts.VerifyBankAccount, request, timeout=SECONDS)
    tell(shown(done, "name", "state", "usable_time"), output=output)


@app.command("list")
def list_(
    partner: PartnerArgument, person: PersonOption = LOCAL, output: OutputOption = Output.TEXT, home: HomeOption = None
) -> None:
    """The accounts of a partner, or of `operator`; numbers are masked."""
    request = pb.ListBankAccountsRequest(parent=partner_name(partner))
    found = listed(
        calls(home, person).bank_accounts.ListBankAccounts, request, "bank_accounts",
        "name", "currency", "iban", "state", "clearing", "usable_time",
    )  # fmt: skip
    tell({"accounts": found}, output=output)


@app.command()
def show(
    name: NameArgument, person: PersonOption = LOCAL, output: OutputOption = Output.TEXT, home: HomeOption = None
) -> None:
    """One account with its whole number."""
    request = pb.GetBankAccountRequest(name=name)
    tell(shown(call(calls(home, person).bank_accounts.GetBankAccount, request, timeout=SECONDS)), output=output)
