"""Each partner's policy as settlement's contracts have it: a small table that every process keeps in memory.

A process knows what it has set itself at once, and what others have set within a second.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sqlalchemy import Engine

from services.ledger.domain.refusals.terms import PolicyChanged, PolicyNotFound
from services.ledger.domain.terms import NegativeBalance, Policy
from services.ledger.store.rows import Row
from services.ledger.store.session import reading, writing
from shared.clock import Clock
from shared.repeating import Repeating

_COLUMNS: Final = """partner, revision, pending_days, negative_balance, redemption_step, redemption_minimum,
    redemption_share_bp"""
_ALL: Final = f"SELECT {_COLUMNS} FROM ledger.policies"
_ONE: Final = f"SELECT {_COLUMNS} FROM ledger.policies WHERE partner = %s"
_SET: Final = f"""
INSERT INTO ledger.policies AS p ({_COLUMNS}, updated_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (partner) DO UPDATE SET revision = EXCLUDED.revision, pending_days = EXCLUDED.pending_days,
    negative_balance = EXCLUDED.negative_balance, redemption_step = EXCLUDED.redemption_step,
    redemption_minimum = EXCLUDED.redemption_minimum, redemption_share_bp = EXCLUDED.redemption_share_bp,
    updated_at = EXCLUDED.updated_at
WHERE p.revision < EXCLUDED.revision
"""
_REFRESH_SECONDS: Final = 1.0


class Policies:
    """Sets policies, and has those of all partners at hand for every batch."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._known: Mapping[str, Policy] = MappingProxyType({})
        self._changing = threading.Lock()
        self._thread = Repeating("policies", self.refresh, _REFRESH_SECONDS, work="policies")

    def start(self) -> None:
        """Learn all policies, then keep up. Raises the refusal of a database that is away."""
        self.refresh()
        self._thread.start(after_pause=True)

    def stop(self) -> None:
        self._thread.stop()

    def current(self) -> Mapping[str, Policy]:
        """Every partner's policy: a snapshot that does not change."""
        return self._known

    def of(self, partner: str) -> Policy:
        """A partner's policy, as it is stored. Raises PolicyNotFound."""
        with reading(self._engine) as cursor:
            row = cursor.execute(_ONE, [partner]).fetchone()
        if row is None:
            raise PolicyNotFound(partner=partner)
        return _policy(row)

    def set(self, partner: str, policy: Policy) -> bool:
        """Keep a policy; True when this revision had been set before. Raises PolicyChanged for an older one."""
        values = [
            partner,
            policy.revision,
            policy.pending_days,
            policy.negative_balance.value,
            policy.redemption_step,
            policy.redemption_minimum,
            policy.redemption_share_bp,
            self._clock.now(),
        ]
        with writing(self._engine) as cursor:
            is_new = cursor.execute(_SET, values).rowcount == 1
            row = cursor.execute(_ONE, [partner]).fetchone()
        kept = policy if row is None else _policy(row)
        if kept != policy:
            raise PolicyChanged(partner=partner, revision=kept.revision)
        self.refresh()
        return not is_new

    def refresh(self) -> None:
        """Read them all again; whoever began to read later has the last word. What we know stays true as long."""
        with self._changing, reading(self._engine) as cursor:
            self._known = MappingProxyType({row[0]: _policy(row) for row in cursor.execute(_ALL)})


def _policy(row: Row) -> Policy:
    _, revision, pending_days, negative_balance, step, minimum, share = row
    return Policy(pending_days, NegativeBalance(negative_balance), step, minimum, share, revision)
