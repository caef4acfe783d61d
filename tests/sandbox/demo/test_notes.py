"""What a run leaves for the next one survives being written, and damage is named."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from services.sandbox.demo.notes import Notebook, Notes, Step
from services.sandbox.refusals import FileDamaged


def test_nothing_is_noted_before_the_first_run(tmp_path: Path) -> None:
    assert Notebook(tmp_path / "demo.json").read() is None


@pytest.mark.parametrize("step", [Step(date(2017, 3, 4), 2), Step(date(2017, 3, 5)), None])
def test_what_is_noted_is_read_again(tmp_path: Path, step: Step | None) -> None:
    notebook = Notebook(tmp_path / "demo.json")
    notebook.write(Notes("all baskets", 1, step))
    assert Notebook(tmp_path / "demo.json").read() == Notes("all baskets", 1, step)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"plan": "x", "first_window": 1, "next_day": "soon", "finished_steps": 0}'],
)
def test_damaged_notes_are_named_and_not_replaced(tmp_path: Path, text: str) -> None:
    file = tmp_path / "demo.json"
    file.write_text(text)
    with pytest.raises(FileDamaged, match=r"demo\.json"):
        Notebook(file).read()
    assert file.read_text() == text
