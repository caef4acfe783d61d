"""Our own modules as syntax trees, for tests that read the code instead of running it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Source:
    """One Python file of the repository."""

    path: str  # from the root, with forward slashes
    tree: ast.Module

    def at(self, node: ast.expr | ast.stmt) -> str:
        """Where a finding stands, as an editor understands it."""
        return f"{self.path}:{node.lineno}"

    def imports(self) -> Iterator[tuple[ast.stmt, str]]:
        """Every imported name with its full path; `from a import b` is `a.b`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)

    def texts(self) -> Iterator[ast.Constant]:
        """Every string that is a value; docstrings are prose and left out."""
        prose = {id(node.value) for node in ast.walk(self.tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
                yield node


def sources(*patterns: str) -> list[Source]:
    """The files that match, each once."""
    found = {path for pattern in patterns for path in ROOT.glob(pattern) if path.suffix == ".py"}
    return [Source(path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())) for path in sorted(found)]


def platform() -> list[Source]:
    """Everything that is deployed: `services` and `shared`."""
    return sources("services/**/*.py", "shared/**/*.py")


def part(name: str) -> list[Source]:
    """One part of every service, file or folder: `part("domain")`."""
    return sources(f"services/*/{name}.py", f"services/*/{name}/**/*.py")
