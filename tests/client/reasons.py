"""Every reason that a service may send, read from the classes, and the table of them in the partner's first page.

`python -m tests.client.reasons` writes the table anew; a test fails while it is not what the classes say.
"""

from __future__ import annotations

import importlib
import pkgutil
import string
from dataclasses import dataclass, field
from functools import cache

from shared.refusal import Refusal, reason_of
from shared.rpc.codes import CODES
from tests.architecture.sources import ROOT

PAGE = ROOT / "protos" / "README.md"
BEGIN, END = "<!-- reasons: python -m tests.client.reasons -->", "<!-- end of reasons -->"
ON_THE_WIRE = ("shared", "services.identity", "services.ledger", "services.catalogue", "services.settlement")
NEVER_SENT = {
    "BUCKET_COUNT_CHANGED",  # a service that does not start
    "IMPORT_REFUSED",  # a program's, not the service's
    "NOTHING_DUE",  # the ledger's own clockwork
    "REMOTE_REFUSAL",  # carries another service's reason
    "STRIPE_MOVED",  # between processes of the ledger
}


@dataclass
class Reason:
    """One reason; several services may send it, each with its own sentence."""

    reason: str
    code: str
    facts: set[str] = field(default_factory=set)
    texts: dict[str, str] = field(default_factory=dict)
    senders: set[str] = field(default_factory=set)


@cache
def reasons() -> dict[str, Reason]:
    """All of them, by reason."""
    for package in ON_THE_WIRE:
        _import_all(package)
    found: dict[str, Reason] = {}
    for refusal in sorted(_below(Refusal), key=lambda one: one.__module__):
        sender = ".".join(refusal.__module__.split(".")[:2])
        reason = reason_of(refusal)
        if not refusal.__module__.startswith(tuple(f"{name}." for name in ON_THE_WIRE)) or reason in NEVER_SENT:
            continue
        entry = found.setdefault(reason, Reason(reason, CODES[refusal.kind].name))
        assert entry.code == CODES[refusal.kind].name, f"{reason} has two codes"
        entry.facts |= {_lower_camel(name) for name in _fields(refusal.message + refusal.remedy)}
        entry.texts.setdefault(refusal.message, refusal.remedy)
        entry.senders.add("any" if sender.startswith("shared") else sender.removeprefix("services."))
    return found


def table() -> str:
    """The reasons as a table, by code and name."""
    rows = ["| code | reason | from | what it says, and what to do |", "|---|---|---|---|"]
    for one in sorted(reasons().values(), key=lambda one: (one.code, one.reason)):
        said = "<br>".join(_braced(f"{message} {remedy}".strip()) for message, remedy in one.texts.items())
        rows.append(f"| {one.code} | `{one.reason}` | {', '.join(sorted(one.senders))} | {said} |")
    return "\n".join(rows)


def written() -> str:
    """The table as it stands in the page."""
    _, rest = PAGE.read_text().split(BEGIN)
    return rest.split(END)[0].strip()


def write() -> None:
    """Put today's table into the page."""
    before, rest = PAGE.read_text().split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}")


def _below(of: type[Refusal]) -> set[type[Refusal]]:
    return {one for child in of.__subclasses__() for one in {child, *_below(child)}}


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def _braced(text: str) -> str:
    """Facts under the names that they have in the metadata."""
    for name in _fields(text):
        text = text.replace(f"{{{name}}}", f"`{_lower_camel(name)}`")
    return text.replace("|", "\\|").replace("<", "&lt;").replace("``", "`")


def _import_all(name: str) -> None:
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, f"{name}."):
        if not {"migrations", "main"} & set(module.name.split(".")):
            importlib.import_module(module.name)


def _lower_camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


if __name__ == "__main__":
    write()
