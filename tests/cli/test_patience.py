"""Long calls of finance's commands say what they do and for how long; short ones say nothing."""

from __future__ import annotations

import time

import grpc
import pytest

from services.cli.settle.patience import awaited


class Slow:
    """A call that answers after so many looks."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def result(self, timeout: float) -> str:
        assert timeout == 1.0
        self.looks -= 1
        if self.looks >= 0:
            raise grpc.FutureTimeoutError
        return "done"


@pytest.mark.parametrize(("looks", "said"), [(0, ""), (2, "\rclosing\rclosing\n")])
def test_a_sign_of_life_for_each_second_and_none_for_what_is_quick(
    looks: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    seconds: list[float] = []

    def told(so_far: float) -> str:
        seconds.append(so_far)
        return "closing"

    assert awaited(Slow(looks), told) == "done"  # type: ignore[arg-type]  # what it needs of a call
    assert capsys.readouterr().err == said
    assert seconds == sorted(seconds)
    assert all(one <= time.monotonic() - began for one in seconds)
