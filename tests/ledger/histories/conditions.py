"""Rules that only make sense at times."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

Step = TypeVar("Step", bound=Callable[..., None])


def when(holds: Callable[[Any], object]) -> Callable[[Step], Step]:
    """The step does nothing unless this holds.

    Hypothesis's own preconditions choose among the rules that are possible; on the running service that depends on
    when its clock came by, and what is drawn may depend on nothing but the seed.
    """

    def decorate(step: Step) -> Step:
        @wraps(step)
        def perhaps(self: Any, **drawn: Any) -> None:  # noqa: ANN401  a machine, and whatever its rule draws
            if holds(self):
                step(self, **drawn)

        return perhaps  # type: ignore[return-value]

    return decorate
