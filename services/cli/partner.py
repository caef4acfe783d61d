"""`coalition partner`: partners to try the API as."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.options import HomeOption, answers, home_of
from services.sandbox.partners import admit
from services.sandbox.platform import running_platform

app = typer.Typer(help="Partners to try the API as.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Its id: lower case letters, digits and hyphens.")],
    display_name: Annotated[str, typer.Option(help="What people call it.", show_default="the id")] = "",
    home: HomeOption = None,
) -> None:
    """Add a partner to the programme and write what its tills need to call: certificate, key, credential, secret."""
    platform = running_platform(home_of(home))
    kit = admit(platform, name, display_name)
    answers.print(f"partners/{name} may call. Its kit is in {kit.folder}:")
    answers.print("  ca.pem tls.pem tls.key   the connection")
    answers.print("  credential.json secret   what identity exchanges for access tokens")
    for service, address in platform.targets.items():
        answers.print(f"  {service:<11}{address}")
