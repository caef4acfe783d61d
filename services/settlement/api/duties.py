"""The step that asks whether a call is part of the caller's job. It stands around every call of the service."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from services.settlement.domain.duties import EVERY_DUTY, EVERYBODY_ELSE, Duty, DutyMissing, NoDuties, parsed
from shared.log import get_logger
from shared.rpc.access import Access
from shared.rpc.call import CallContext
from shared.rpc.caller import Role

log = get_logger()


class Roster:
    """Who has which duties, as the file says it now; without a file everybody has all.

    It is read again when it changes. While it cannot be read nobody has a duty: a slip of the pen must not give more.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._duties: Mapping[str, frozenset[Duty]] = {}

    def of(self, user: str) -> frozenset[Duty]:
        """The duties of one user."""
        if self._file is None:
            return EVERY_DUTY
        with self._lock:
            self._look(self._file)
            return self._duties.get(user, self._duties.get(EVERYBODY_ELSE, frozenset()))

    def _look(self, file: Path) -> None:
        try:
            stat = file.stat()
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if seen != self._seen:
                self._duties = parsed(file.read_bytes())
                self._seen = seen
        except (OSError, NoDuties) as error:
            if self._duties or self._seen:
                log.error("duties cannot be read", path=str(file), detail=str(error))
            self._duties, self._seen = {}, None


class CheckDuty:
    """The check: an operator's user needs one of the duties in the method's row."""

    def __init__(self, roster: Roster, table: Mapping[str, frozenset[Duty]]) -> None:
        self._roster = roster
        self._table = table

    def __call__(self, call: CallContext) -> None:
        caller = call.caller
        if caller is None or caller.role is not Role.OPERATOR or not call.method.startswith("/coalition."):
            return
        needed = self._table.get(call.method, frozenset())
        if not needed & self._roster.of(caller.name):
            names = " or ".join(duty.value for duty in Duty if duty in needed)
            raise DutyMissing(caller=caller.principal, method=call.method, duty=names or "nobody's")


class IncompleteDuties(Exception):
    """The table of duties does not name the operator's methods."""


def check_complete(table: Mapping[str, frozenset[Duty]], access: Access) -> None:
    """A server does not start with a method of the operator's that is nobody's job, nor with a row of none."""
    methods = {method for method, roles in access.items() if Role.OPERATOR in roles}
    if methods != table.keys():
        raise IncompleteDuties(
            f"without a duty: {sorted(methods - table.keys())}; no method: {sorted(table.keys() - methods)}"
        )
