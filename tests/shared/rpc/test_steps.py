"""Frames see how a call ends, whatever happens in it."""

from __future__ import annotations

from typing import Any, cast

import pytest

from shared.rpc.call import CallContext
from shared.rpc.steps import Frame, Steps

CALL = cast(CallContext, object())


class Notes:
    """A frame that writes down what it is told."""

    def __init__(self, name: str, notes: list[str], instead: type[Exception] | None = None) -> None:
        self._name = name
        self._notes = notes
        self._instead = instead

    def begin(self, call: CallContext) -> None:
        self._notes.append(f"{self._name} begins")

    def end(self, call: CallContext, error: BaseException | None) -> None:
        self._notes.append(f"{self._name} ends {type(error).__name__}")
        if error is not None and self._instead is not None:
            raise self._instead


def frames(notes: list[str], *instead: type[Exception] | None) -> list[Frame]:
    return [Notes(str(number), notes, other) for number, other in enumerate(instead)]


def refuse(_: Any) -> None:  # noqa: ANN401  whatever the call
    raise KeyError


def test_frames_end_in_the_reverse_order() -> None:
    notes: list[str] = []
    with Steps(frames(notes, None, None), ()).around(CALL):
        notes.append("called")
    assert notes == ["0 begins", "1 begins", "called", "1 ends NoneType", "0 ends NoneType"]


def test_a_check_that_refuses_ends_the_call_before_it_is_worked_on() -> None:
    notes: list[str] = []
    with pytest.raises(KeyError), Steps(frames(notes, None), (refuse,)).around(CALL):
        notes.append("called")
    assert notes == ["0 begins", "0 ends KeyError"]


def test_the_frames_outside_see_what_one_inside_made_of_an_error() -> None:
    notes: list[str] = []
    with pytest.raises(ZeroDivisionError), Steps(frames(notes, None, ZeroDivisionError), ()).around(CALL):
        raise KeyError
    assert notes[2:] == ["1 ends KeyError", "0 ends ZeroDivisionError"]
