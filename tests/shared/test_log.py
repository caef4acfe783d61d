"""Logs: JSON, with fields that somebody has cleared."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import logging
import structlog
from shared.log import configure, get_logger
configure("ledger", "info", also=["colour"], unknown_fields={unknown})
log = get_logger()
log.debug("too quiet")
log.info("points awarded", points=120, entry="e1", colour="red", phone="+49123", card="4000")
try:
    raise ValueError("inside\\nDETAIL:  Failing row contains (Anna).\\nSTATEMENT: x")
except ValueError:
    log.exception("unexpected failure")
logging.getLogger("alembic").info("chatter")
logging.getLogger("sqlalchemy").warning("pool %s", "is small")
"""


def lines(*, unknown: bool = False) -> list[dict[str, object]]:
    root = Path(__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(unknown=unknown)], cwd=root, capture_output=True, text=True, check=True
    )
    assert run.stdout == ""
    return [json.loads(line) for line in run.stderr.splitlines()]


def test_a_line_is_a_sentence_with_fields() -> None:
    first = lines()[0]
    assert first.pop("time")
    assert first == {
        "event": "points awarded",
        "level": "info",
        "service": "ledger",
        "points": 120,
        "entry": "e1",
        "colour": "red",
        "left_out": ["card", "phone"],
    }


def test_in_development_every_field_is_written() -> None:
    assert lines(unknown=True)[0]["phone"] == "+49123"


def test_a_traceback_stays_inside_its_line() -> None:
    assert "Traceback" in str(lines()[1]["exception"])


def test_the_row_that_broke_a_rule_is_not_written() -> None:
    assert "Anna" not in str(lines()[1]["exception"])


def test_libraries_speak_the_same_way_and_only_to_warn() -> None:
    said = lines()
    assert len(said) == 3
    assert (said[2]["event"], said[2]["level"], said[2]["service"]) == ("pool is small", "warning", "ledger")


def test_who_configures_twice_finds_its_lines_in_their_order() -> None:
    program = """
from shared.log import configure, flush, get_logger
configure("catalogue")
early, late = get_logger(), get_logger()
early.info("a")
configure("catalogue")
early.info("b")
late.info("c")
flush()
print("end", file=__import__("sys").stderr)
"""
    root = Path(__file__).parents[2]
    run = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    *said, end = run.stderr.splitlines()
    assert [json.loads(line)["event"] for line in said] == ["a", "b", "c"]
    assert end == "end"
