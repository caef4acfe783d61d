"""What the pages say is true: their code runs, their tables are the platform's."""

from __future__ import annotations

import importlib
import io
import re
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import grpc
import pytest
from coalition.client import MessageTooLarge, Refused, new_request_id
from coalition.client.reading import refusal_on_wire
from coalition.ledger.v1.ledger_pb2 import TakeCheckpointRequest

from services.cli.main import app
from shared.rpc.caller import Role
from tests.architecture.sources import ROOT
from tests.client import reasons
from tests.support.platform import Partner, RunningPlatform

PAGES = (ROOT / "README.md", ROOT / "protos" / "README.md")
SERVICES = ("identity", "ledger", "catalogue", "settlement")


def blocks(page: Path, language: str) -> list[str]:
    """The pieces of code in a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def at(home: Path, code: str) -> str:
    """The same code for another folder than a user's own."""
    return code.replace("~/.coalition", str(home))


def said(code: str, names: dict[str, object]) -> str:
    """What a piece of Python prints."""
    with redirect_stdout(io.StringIO()) as out:
        exec(compile(code, "a page", "exec"), names)
    return out.getvalue()


def test_the_first_award_of_the_readme_is_awarded_and_so_is_the_second(platform: RunningPlatform) -> None:
    platform.partner("grocer")
    page = PAGES[0]
    [python], [bash] = blocks(page, "python"), blocks(page, "bash")
    assert said(at(platform.home.root, python), {}) == "120\n"
    tools = Path(sys.executable).parent
    script = at(platform.home.root, bash).replace(".venv/bin", str(tools))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert '"available": "240"' in done.stdout


def test_the_partners_first_hour_works(platform: RunningPlatform) -> None:
    platform.partner("grocer")
    names: dict[str, object] = {}
    first, again, proof = blocks(PAGES[1], "python")
    assert said(at(platform.home.root, first), names) == "120\n"
    assert said(at(platform.home.root, again), names) == "120 True\n"
    request = TakeCheckpointRequest(request_id=new_request_id())
    name = platform.operator.ledger.TakeCheckpoint(request, timeout=20).name
    assert int(said(at(platform.home.root, proof), names)) >= int(name.removeprefix("checkpoints/"))


def test_the_first_award_takes_ten_lines() -> None:
    [python] = blocks(PAGES[0], "python")
    assert len([line for line in python.splitlines() if line.strip()]) <= 10


def test_the_table_of_reasons_is_what_the_classes_say() -> None:
    assert reasons.written() == reasons.table(), "write it anew: python -m tests.client.reasons"


def test_every_refusal_that_a_contract_names_is_one() -> None:
    unknown = set()
    for contract in (ROOT / "protos" / "coalition").rglob("*.proto"):
        for comment, method in re.findall(r"((?:^  //.*\n)+)  rpc (\w+)", contract.read_text(), re.MULTILINE):
            prose = re.sub(r"\([^)]*\)", "", comment.replace("\n  //", ""))
            named = re.findall(r"\b[A-Z]{2,}(?:_[A-Z]+)+\b", prose.partition("efusals:")[2])
            unknown |= {f"{method}: {reason}" for reason in named if reason not in reasons.reasons()}
    assert unknown == set()


def test_every_method_of_a_partner_has_a_row() -> None:
    assert set(sizes_in_page()) == set(methods_of_partners())


def test_the_sizes_are_those_that_the_services_keep(platform: RunningPlatform) -> None:
    grocer = platform.partner("grocer")
    methods = methods_of_partners()
    for name, most in sizes_in_page().items():
        refused = refused_for_size(grocer, *methods[name], most + 1)
        assert isinstance(refused, MessageTooLarge), name
        assert refused.fact("limit") in {str(most), ""}, name


def test_every_command_of_the_readme_is_one() -> None:
    named = set(re.findall(r"`coalition ([a-z]+(?: [a-z]+)?)", PAGES[0].read_text()))
    known = {str(one.name) for one in app.registered_commands}
    for group in app.registered_groups:
        known |= {str(group.name)}
        typer_ = group.typer_instance
        for one in typer_.registered_commands if typer_ else ():
            known |= {f"{group.name} {one.name or str(getattr(one.callback, '__name__', ''))}"}
        known |= {f"{group.name} {inner.name}" for inner in (typer_.registered_groups if typer_ else ())}
    assert named - known == set()
    assert {one.name for one in app.registered_commands} <= named


def test_links_lead_somewhere() -> None:
    pages = [*PAGES, ROOT / "CONTRIBUTING.md", *(ROOT / "deploy").rglob("*.md")]
    dead = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert dead == []


def sizes_in_page() -> dict[str, int]:
    """Bytes by `Service.Method`, as a partner reads them."""
    _, rest = PAGES[1].read_text().split("<!-- methods -->")
    rows = re.findall(r"^\| `(\w+\.\w+)` \| (\d+) (KiB|MiB)", rest.split("<!-- end of methods -->")[0], re.MULTILINE)
    return {method: int(number) * {"KiB": 1024, "MiB": 1024**2}[unit] for method, number, unit in rows}


def methods_of_partners() -> dict[str, tuple[str, str]]:
    """Service and full name by `Service.Method`: all that a partner may call."""
    return {
        method.rpartition(".")[2].replace("/", "."): (service, method)
        for service in SERVICES
        for method, roles in importlib.import_module(f"services.{service}.access").ACCESS.items()
        if Role.PARTNER in roles
    }


def refused_for_size(grocer: Partner, service: str, method: str, size: int) -> Refused:
    """What a service says to so many bytes."""
    ask: grpc.UnaryUnaryMultiCallable[bytes, bytes] = grocer.calls.channel(service).unary_unary(method)
    with pytest.raises(grpc.RpcError) as caught:
        ask(bytes(size), timeout=10)
    trailing = [(item.key, item.value) for item in caught.value.trailing_metadata() or ()]
    return refusal_on_wire(caught.value.code(), caught.value.details() or "", trailing)
