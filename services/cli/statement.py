"""`coalition statement`: fetch a statement, and check one with nothing but the file and the operator's public key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from coalition.settlement.v1 import settlement_pb2 as pb
from coalition.statements.verify import NotVerified, public_key, sentence
from coalition.statements.verify import verify as verified

from services.cli.options import HomeOption, Output, OutputOption, home_of
from services.cli.refusals import FileUnreadable, KeyUnknown, StatementNotVerified
from services.cli.settle.shown import listed
from services.cli.settle.ways import partner_name, tell
from services.sandbox.keys import keys_of
from services.sandbox.platform import running_platform
from shared.rpc.channel import call

app = typer.Typer(help="Fetch statements and check them.", no_args_is_help=True)

_SECONDS = 30.0


@app.command()
def get(
    name: Annotated[str, typer.Argument(help="partners/{partner}/statements/{window}")],
    to: Annotated[
        Path | None, typer.Option(help="Where to write it.", show_default="{partner}-{window}.json in this folder")
    ] = None,
    csv: Annotated[bool, typer.Option("--csv", help="The rendering as CSV instead of the signed JSON.")] = False,
    home: HomeOption = None,
) -> None:
    """Write the bytes of a statement, as they were signed, into a file."""
    wanted = pb.STATEMENT_FORMAT_CSV if csv else pb.STATEMENT_FORMAT_JSON
    operator = running_platform(home_of(home)).operator
    request = pb.GetStatementRequest(name=name, format=wanted)
    statement = call(operator.statements.GetStatement, request, timeout=_SECONDS)
    _, partner, _, window = statement.name.split("/")
    file = to or Path(f"{partner}-{window}.{'csv' if csv else 'json'}")
    file.write_bytes(statement.content)
    print(file)


@app.command("list")
def list_(
    partner: Annotated[str, typer.Argument(help="The partner's id.")],
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """The statements of a partner, oldest window first."""
    operator = running_platform(home_of(home)).operator
    request = pb.ListStatementsRequest(parent=partner_name(partner))
    found = listed(operator.statements.ListStatements, request, "statements", "name", "window", "net", "sha256")
    tell({"statements": found}, output=output)


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="The statement: the JSON as it was sent.")],
    key: Annotated[
        Path | None, typer.Option(help="The operator's public key for statements.", show_default="the sandbox's")
    ] = None,
    checkpoint_key: Annotated[
        Path | None, typer.Option(help="The ledger's public key for checkpoints.", show_default="the sandbox's")
    ] = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Check a statement's arithmetic, proofs and signatures. Needs no server; exit code 1 names what is wrong."""
    keys = keys_of(home_of(home))
    if key is None and not keys.operator_public.exists():
        raise KeyUnknown(looked_at=keys.operator_public)
    if key is None and checkpoint_key is None and keys.checkpoint_public.exists():
        checkpoint_key = keys.checkpoint_public
    content, public = _read(file), _key(key or keys.operator_public)
    try:
        found = verified(content, public, _key(checkpoint_key) if checkpoint_key else None)
    except NotVerified as wrong:
        raise StatementNotVerified(file=file, where=wrong.where, why=wrong.why) from None
    if output is Output.JSON:
        facts = {"partner": found.partner, "window": found.window, "lines": found.lines, "net": found.net}
        print(json.dumps({"verified": True, **facts, "checkpoints": found.checkpoints}))
    else:
        print(sentence(found))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise FileUnreadable(file=file, why=error.strerror or error) from None


def _key(file: Path) -> bytes:
    try:
        return public_key(_read(file))
    except ValueError as error:
        raise FileUnreadable(file=file, why=error) from None
