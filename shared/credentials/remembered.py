"""What was checked lately, so that it need not be checked again: bounded, and without a lock.

Two generations: when the young one is full it becomes the old one, and what nobody asked for meanwhile is forgotten.
Single operations on a dictionary are safe in any thread; two that race may check twice, or forget a little early.
"""

from __future__ import annotations

from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Remembered(Generic[Key, Value]):
    """Values by key, at least the latest `count` of them; all checked `under` the same keys, or whatever else."""

    def __init__(self, count: int, under: object = None) -> None:
        self.under = under
        self._count = count
        self._young: dict[Key, Value] = {}
        self._old: dict[Key, Value] = {}

    def get(self, key: Key) -> Value | None:
        """The value, if it is remembered."""
        found = self._young.get(key)
        if found is None and (found := self._old.get(key)) is not None:
            self.put(key, found)
        return found

    def put(self, key: Key, value: Value) -> None:
        """Remember it."""
        self._young[key] = value
        if len(self._young) > self._count:
            self._young, self._old = {}, self._young
