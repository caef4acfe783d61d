"""What stands around every call: frames that see how it ends, and inside them checks that may refuse it.

Plain calls in a loop and not a context manager for each: this runs around each of thousands of calls a second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

from shared.rpc.call import CallContext

Check = Callable[[CallContext], None]
"""Looks before the call, and raises a refusal where it must not be."""


class Frame(Protocol):
    """Begins with the call and is told how it ended."""

    def begin(self, call: CallContext) -> None:
        """Before every check. Refuses nothing."""

    def end(self, call: CallContext, error: BaseException | None) -> None:
        """After the call. What it raises takes the place of the error."""


@dataclass(frozen=True, slots=True)
class Steps:
    """Frames outermost first, then checks in their order."""

    frames: Sequence[Frame]
    checks: Sequence[Check]

    def around(self, call: CallContext) -> Around:
        """The steps of one call, to be entered with `with`."""
        return Around(self, call)


class Around:
    """One call inside its steps."""

    __slots__ = ("_call", "_steps")

    def __init__(self, steps: Steps, call: CallContext) -> None:
        self._steps = steps
        self._call = call

    def __enter__(self) -> None:
        call = self._call
        for frame in self._steps.frames:
            frame.begin(call)
        try:
            for check in self._steps.checks:
                check(call)
        except BaseException as error:
            self._end(error)
            raise

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._end(error)

    def _end(self, error: BaseException | None) -> None:
        """Innermost first, each told what the one inside it made of the error."""
        ended = error
        for frame in reversed(self._steps.frames):
            try:
                frame.end(self._call, ended)
            except BaseException as other:  # the frames outside have to see it, then it goes on
                ended = other
        if ended is not None and ended is not error:
            try:
                raise ended
            finally:
                del ended  # or this frame and what it raises would hold each other, and the request, for the collector
