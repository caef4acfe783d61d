"""PostgreSQL's syntax trees, walked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from pglast import ast as pg

N = TypeVar("N", bound=pg.Node)


def everything(tree: object) -> Iterator[pg.Node]:
    """The node and all below it."""
    if isinstance(tree, pg.Node):
        yield tree
        for name in tree:
            yield from everything(getattr(tree, name))
    elif isinstance(tree, tuple | list):
        for part in tree:
            yield from everything(part)


def nodes(tree: object, *kinds: type[N]) -> Iterator[N]:
    """Those of these kinds."""
    for node in everything(tree):
        if isinstance(node, kinds):
            yield node


def names(strings: Iterable[pg.String] | None) -> list[str]:
    return [string.sval for string in strings or ()]


def name_of(strings: Iterable[pg.String]) -> str:
    """The last part of a qualified name."""
    return names(strings)[-1]


def relation(table: pg.RangeVar) -> str:
    return str(table.relname)


def column(ref: pg.ColumnRef) -> tuple[str, str]:
    """The table a column is said to be of ("" when nobody says) and its name."""
    parts = [field.sval if isinstance(field, pg.String) else "*" for field in ref.fields]
    return (parts[-2] if len(parts) > 1 else "", parts[-1])
