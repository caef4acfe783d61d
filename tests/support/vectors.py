"""The worked examples: tests load them and never retype their numbers."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

Example: TypeAlias = dict[str, Any]  # `given`, `when`, `then`: what they hold differs from example to example

_FOLDER = Path(__file__).parents[1] / "vectors"


@cache
def _examples(file: str) -> dict[str, Example]:
    content = json.loads((_FOLDER / file).read_text())
    return {example["id"]: example for example in content.get("examples") or content["vectors"]}


def example(id_: str, file: str = "economics.json") -> Example:
    """One worked example by its name."""
    return _examples(file)[id_]


@cache
def checks(file: str) -> dict[str, Example]:
    """The finalisation checks F01 to F36, by number."""
    found = json.loads((_FOLDER / file).read_text())["finalisation_checks"]["checks"]
    return {check["id"]: check for check in found}
