"""Where statements are sent: every `execute`, and every function that hands a statement on to one."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.architecture.sources import Source
from tests.architecture.sql.statements import BUILT

SENDERS = {"execute": 0, "executemany": 0, "stream": 0, "copy": 0, "exec_driver_sql": 0, "text": 0, "ask": 0}
"""By name, the place of the argument that is the statement."""


class _Senders:
    """SENDERS, which count everywhere, and functions that hand a parameter of theirs on, where they are known."""

    def __init__(self, modules: list[Source]) -> None:
        self._modules = modules
        self._found: dict[tuple[str, str], int] = {}  # by the module that knows it, and name
        while more := self._more():
            self._found |= more

    def statement(self, source: Source, call: ast.Call) -> ast.expr | None:
        """The argument of a call that is a statement."""
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        position = SENDERS.get(name, self._found.get((source.path, name)))
        if position is None or len(call.args) <= position:
            return None
        return call.args[position]

    def _more(self) -> dict[tuple[str, str], int]:
        found = {}
        for source in self._modules:
            for function in ast.walk(source.tree):
                if (
                    isinstance(function, ast.FunctionDef)
                    and (position := self._handed_on(source, function)) is not None
                ):
                    for knows in self._who_know(source, function.name):
                        found[knows, function.name] = position
        return {key: position for key, position in found.items() if key not in self._found and key[1] not in SENDERS}

    def _handed_on(self, source: Source, function: ast.FunctionDef) -> int | None:
        sent = {
            argument.id
            for call in ast.walk(function)
            if isinstance(call, ast.Call) and isinstance(argument := self.statement(source, call), ast.Name)
        }
        return next((n for n, name in enumerate(_parameters(function)) if name in sent), None)

    def _who_know(self, source: Source, name: str) -> Iterator[str]:
        for other in self._modules:
            if other.path == source.path or any(full.endswith(f".{name}") for _, full in other.imports()):
                yield other.path


def put_together(modules: list[Source]) -> list[str]:
    """Statements that are neither constants nor parameters of a function that hands them on."""
    senders = _Senders(modules)
    return [
        f"{source.at(call)} {ast.unparse(argument)}"
        for source in modules
        for call, argument, parameters in _sent(source, senders)
        if not _is_constant(source, argument, parameters)
    ]


def _sent(source: Source, senders: _Senders) -> Iterator[tuple[ast.Call, ast.expr, set[str]]]:
    def walk(node: ast.AST, parameters: set[str]) -> Iterator[tuple[ast.Call, ast.expr, set[str]]]:
        if isinstance(node, ast.FunctionDef):
            parameters = parameters | set(_parameters(node))
        if isinstance(node, ast.Call) and (argument := senders.statement(source, node)) is not None:
            yield node, argument, parameters
        for child in ast.iter_child_nodes(node):
            yield from walk(child, parameters)

    yield from walk(source.tree, set())


def _parameters(function: ast.FunctionDef) -> list[str]:
    return [argument.arg for argument in function.args.args if argument.arg not in ("self", "cls")]


def _is_constant(source: Source, argument: ast.expr, parameters: set[str]) -> bool:
    if (source.path, ast.unparse(argument)) in BUILT:
        return True
    match argument:
        case ast.Constant():
            return True
        case ast.Name(id=name):
            return name in parameters or name.isupper()
        case ast.Attribute(value=ast.Name(id="sql"), attr=name):
            return name.isupper()
        case ast.Subscript(value=ast.Name(id=name)):  # a table of statements
            return name.isupper()
        case ast.IfExp(body=body, orelse=orelse):
            return _is_constant(source, body, parameters) and _is_constant(source, orelse, parameters)
        case _:
            return False
