"""How long a piece of work may still take."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import grpc

from shared.rpc.deadline import time_left

Patience = Callable[[], float]
"""Asked again before each step, it answers with the seconds that are left."""


def patience(context: grpc.ServicerContext) -> Patience:
    """As long as the caller waits."""
    return partial(time_left, context)


def seconds(most: float) -> Patience:
    """So long for each step: for work that nobody waits for."""
    return lambda: most
