"""Every statement that the ledger can send: the strings of its modules that are SQL, and what its migrations run.

A statement is a constant, so that it can be read without running anything. Nothing that is passed to `execute` may be
put together on the spot, also not by way of a function that hands it on; what cannot do without is written out here.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache

from pglast import parse_sql
from pglast.ast import Node
from pglast.parser import ParseError

from services.ledger.store.writer.statements import lock_heads
from shared.db.migrate import as_sql
from tests.architecture.sources import Source, sources

STORE = "services/ledger/**/*.py"
HOT = re.compile(r"services/ledger/store/(writer|allowances/spending)\b")
FOREIGN = {
    "services/ledger/store/rebuilding.py": "a schema of its own, made and filled as the owner, away from the service",
    "services/ledger/migrations": "read as Alembic would run them",
}
BUILT: dict[tuple[str, str], list[str]] = {
    ("services/ledger/store/writer/loading/heads.py", "sql.lock_heads(size)"): [lock_heads(1), lock_heads(4)],
    ("services/ledger/store/writer/asking.py", "numbered(statement)"): [],  # what `ask` is given, with $1 for %s
    ("services/ledger/store/verifier/places.py", "_NOWHERE.format(table=table)"): [
        "SELECT bucket FROM ledger.entries WHERE bucket < 0 OR bucket >= %s LIMIT 1"
    ],
    ("services/ledger/store/leases.py", "f'SET LOCAL lock_timeout = {self._seconds * 1000 // 6}'"): [
        "SET LOCAL lock_timeout = 1"
    ],
}
"""What is put together on the spot, and what comes out."""

FIRST_WORD = re.compile(
    r"\s*(SELECT|INSERT|UPDATE|DELETE|MERGE|WITH|SET|RESET|LOCK|COPY|CREATE|ALTER|DROP|TRUNCATE|GRANT|REVOKE|CALL|DO"
    r"|LISTEN|NOTIFY|UNLISTEN|EXPLAIN|ANALYZE|VACUUM)\b",
    re.IGNORECASE,
)
MEANT = re.compile(r"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|MERGE INTO|WITH|SET|SET LOCAL|LOCK TABLE)\s")
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[sbt]")


@dataclass(frozen=True)
class Statement:
    """One statement with its module and, where it has one, its name; `hot` when it is part of a posting."""

    where: str
    text: str
    name: str = ""

    @property
    def hot(self) -> bool:
        return bool(HOT.match(self.where))

    @property
    def migrating(self) -> bool:
        return self.where.startswith("services/ledger/migrations")

    @property
    def tree(self) -> Node:
        (tree,) = parsed(self.text)
        return tree


@cache
def parsed(text: str) -> tuple[Node, ...]:
    """The syntax trees of a text; psycopg's placeholders become PostgreSQL's."""
    numbers = iter(range(1, 1000))
    text = PLACEHOLDER.sub(lambda _: f"${next(numbers)}", text).replace("%%", "%")
    return tuple(raw.stmt for raw in parse_sql(text))


def is_sql(text: str) -> bool:
    """Whether a string is a statement and not prose: PostgreSQL's own grammar decides."""
    if not FIRST_WORD.match(text):
        return False
    try:
        return bool(parsed(text))
    except ParseError:
        return False


def ours() -> list[Source]:
    """The modules of the ledger whose statements are read here."""
    return [source for source in sources(STORE) if not any(source.path.startswith(path) for path in FOREIGN)]


def sent() -> list[Statement]:
    """What the service sends, each once."""
    found: dict[str, Statement] = {}
    for source in ours():
        for name, text in _texts(source):
            if text not in found and is_sql(text):
                found[text] = Statement(source.path, text, name)
    built = [Statement(path, text, name) for (path, name), texts in BUILT.items() for text in texts]
    return [*found.values(), *built]


def migrated() -> list[Statement]:
    """What the migrations run."""
    text = as_sql("services.ledger")
    return [Statement("services/ledger/migrations", part) for part in _parts(text)]


def unreadable() -> list[str]:
    """Strings that were meant as statements and that nobody can read without running the code."""
    return [
        f"{source.path}: {text.strip()[:80]}"
        for source in ours()
        for name, text in _texts(source)
        if MEANT.match(text) and not is_sql(text) and not _is_template(source, name)
    ]


def _is_template(source: Source, name: str) -> bool:
    return any(path == source.path and expression.startswith(f"{name}.format(") for path, expression in BUILT)


def _texts(source: Source) -> Iterator[tuple[str, str]]:
    """Values of the module by name, put together as they are at import, and constants inside its functions."""
    values = vars(_module(source))
    for name in sorted(names_of(source) & values.keys()):
        for text in _strings(values[name]):
            yield name, text
    inside = {id(part) for node in ast.walk(source.tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for function in ast.walk(source.tree):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
                    yield "", node.value


def _strings(value: object, depth: int = 0) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth > 4:
        return
    elif isinstance(value, Mapping):
        yield from _strings(list(value.values()), depth + 1)
    elif isinstance(value, tuple | list | set | frozenset):
        for inner in value:
            yield from _strings(inner, depth + 1)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _strings(getattr(value, field.name), depth + 1)


def names_of(source: Source) -> set[str]:
    """Names to which the module itself gives a value."""
    targets = [
        target
        for node in source.tree.body
        for target in (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
    ]
    return {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}


def _module(source: Source) -> object:
    return importlib.import_module(source.path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))


def _parts(text: str) -> Iterator[str]:
    """The statements of a script, as the grammar cuts them."""
    data = text.encode()
    for raw in parse_sql(text):
        end = raw.stmt_location + raw.stmt_len if raw.stmt_len else len(data)
        yield data[raw.stmt_location : end].decode()
