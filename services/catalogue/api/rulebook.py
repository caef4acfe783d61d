"""The rules of every partner, in memory: a purchase should not cost a query for what changes once a month."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime

from services.catalogue.api.patience import Patience
from services.catalogue.domain.refusals import EarnRulesNotFound
from services.catalogue.domain.rules import EarnRules, in_force
from services.catalogue.store import rules as table
from shared.db.sessions import Sessions


@dataclass(frozen=True, slots=True)
class _Known:
    versions: tuple[EarnRules, ...]
    fresh_until: float


class RuleBook:
    """Keeps the versions of each partner for a short time; what is published here is seen at once.

    The time bounds how long a publication by another process goes unnoticed. Nobody is told that there are no rules
    from memory.
    """

    def __init__(self, sessions: Sessions, fresh_seconds: int) -> None:
        self._sessions = sessions
        self._fresh_seconds = fresh_seconds
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}
        self._forgotten = 0

    def at(self, partner: str, instant: datetime, left: Patience) -> EarnRules:
        """The rules in force at an instant."""
        found = in_force(self._versions(partner, left), instant) or in_force(self._read(partner, left), instant)
        if found is None:
            raise EarnRulesNotFound(earn_rules=f"of partners/{partner} in force at {instant.isoformat()}")
        return found

    def version(self, partner: str, number: int, left: Patience) -> EarnRules:
        """One version by its number. Versions are for ever, so an old memory of one is as good as a new one."""
        for look in (self._versions, self._read):
            versions = look(partner, left)
            if 0 < number <= len(versions):
                return versions[number - 1]
        raise EarnRulesNotFound(earn_rules=f"partners/{partner}/earnRules/{number}")

    def forget(self, partner: str) -> None:
        """A version was published: look again, and do not remember what others are reading just now."""
        with self._lock:
            self._known.pop(partner, None)
            self._forgotten += 1

    def _versions(self, partner: str, left: Patience) -> tuple[EarnRules, ...]:
        known = self._known.get(partner)
        if known is not None and time.monotonic() < known.fresh_until:
            return known.versions
        return self._read(partner, left)

    def _read(self, partner: str, left: Patience) -> tuple[EarnRules, ...]:
        before = self._forgotten
        with self._sessions.reading(left()) as connection:
            versions = tuple(table.versions(connection, partner))
        with self._lock:
            if versions and self._forgotten == before:
                self._known[partner] = _Known(versions, time.monotonic() + self._fresh_seconds)
        return versions
