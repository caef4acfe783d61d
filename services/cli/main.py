"""The entry point of `coalition`: its words, and how it says no."""

from __future__ import annotations

import sys
import tempfile
import traceback
from importlib.metadata import version
from typing import Annotated

import typer

from services.cli import clock, demo, ledger, partner, platform, settle, statement, verify
from shared.refusal import Kind, Refusal

REFUSED = 1
WRONG_USAGE = 2

app = typer.Typer(
    help="Coalition: a multi-partner loyalty programme on your machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("up")(platform.up)
app.command("status")(platform.status)
app.command("down")(platform.down)
app.command("demo")(demo.demo)
app.command("verify")(verify.verify)
app.add_typer(clock.app, name="clock")
app.add_typer(ledger.app, name="ledger")
app.add_typer(partner.app, name="partner")
app.add_typer(settle.app, name="settle")
app.add_typer(statement.app, name="statement")


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"coalition {version('coalition-services')}")
        raise typer.Exit


@app.callback()
def _coalition(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """Coalition: a multi-partner loyalty programme on your machine."""


def main() -> None:
    """Run one command. A refusal is one line; a bug of ours is one line that names where the rest is."""
    try:
        app()
    except Refusal as refusal:
        sys.exit(_refused(refusal))
    except KeyboardInterrupt:
        print("coalition: interrupted; run the same command again to go on", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(REFUSED)
    except OSError as error:
        print(f"coalition: {error.strerror or error}{f': {error.filename}' if error.filename else ''}", file=sys.stderr)
        sys.exit(REFUSED)
    except Exception as error:
        sys.exit(_bug(error))


def _refused(refusal: Refusal) -> int:
    advice = refusal.advice
    if not advice and refusal.kind is Kind.DOWN:
        advice = "Look at `coalition status`."
    said = str(refusal).rstrip(".")
    print(f"coalition: {_one_line(f'{said}. {advice}')}", file=sys.stderr)
    return WRONG_USAGE if refusal.kind is Kind.MALFORMED else REFUSED


def _bug(error: Exception) -> int:
    with tempfile.NamedTemporaryFile("w", prefix="coalition-", suffix=".log", delete=False) as file:
        traceback.print_exception(error, file=file)
    what = _one_line(f"{type(error).__name__}: {error}")
    print(f"coalition: this is a bug of ours ({what}). Please report it with {file.name}", file=sys.stderr)
    return REFUSED


def _one_line(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    main()
