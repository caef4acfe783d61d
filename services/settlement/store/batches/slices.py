"""Slices: each currency of a closed window goes into exactly one batch."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from services.settlement.domain.batch import Slice
from services.settlement.domain.batch.refusals import NothingToSettle, SliceTaken, WindowNotClosed
from services.settlement.domain.refusals import WindowNotFound

_WINDOWS = text("SELECT number, state FROM settlement.windows WHERE number = ANY(:numbers)")
_OF_WINDOWS = text("""
SELECT window_number, currency FROM settlement.nets WHERE window_number = ANY(:numbers)
UNION SELECT window_number, currency FROM settlement.lines WHERE window_number = ANY(:numbers)
""")
_TAKEN = text("""
SELECT window_number, currency, batch FROM settlement.batch_slices
WHERE window_number = ANY(:numbers) AND freed_at IS NULL
""")
_TAKE = text("""
INSERT INTO settlement.batch_slices (batch, window_number, currency) VALUES (:batch, :window, :currency)
""")
_FREE = text("UPDATE settlement.batch_slices SET freed_at = :at WHERE batch = :batch")
_OF_BATCH = text("""
SELECT window_number, currency FROM settlement.batch_slices WHERE batch = :batch ORDER BY window_number, currency
""")
_UNSETTLED = text("""
SELECT count(*) FROM settlement.batch_slices s JOIN settlement.batches b ON b.number = s.batch
WHERE s.window_number = :number AND s.freed_at IS NULL AND b.state <> 'SETTLED'
""")


def of_windows(connection: Connection, numbers: Sequence[int]) -> list[Slice]:
    """All slices of closed windows; one without currency where no money is in it.

    Raises WindowNotFound, WindowNotClosed.
    """
    states = {row.number: row.state for row in connection.execute(_WINDOWS, {"numbers": list(numbers)})}
    for number in numbers:
        if number not in states:
            raise WindowNotFound(window=f"windows/{number}")
        if states[number] not in {"CLOSED", "SETTLED"}:
            raise WindowNotClosed(window=f"windows/{number}", state=states[number].lower())
    found = {Slice(*row) for row in connection.execute(_OF_WINDOWS, {"numbers": list(numbers)})}
    empty = set(numbers) - {one.window for one in found}
    return sorted(found | {Slice(number, "") for number in empty})


def free(connection: Connection, numbers: Sequence[int], currencies: Collection[str]) -> list[Slice]:
    """Those that a new batch may have: the currencies named, or all that no batch has.

    Raises as `of_windows`, SliceTaken where one that was named, or every one, is in another batch, NothingToSettle.
    """
    taken = {Slice(*row[:2]): row.batch for row in connection.execute(_TAKEN, {"numbers": list(numbers)})}
    wanted = [one for one in of_windows(connection, numbers) if not currencies or one.currency in {*currencies, ""}]
    lost = [one for one in wanted if one in taken]
    if lost and (currencies or len(lost) == len(wanted)):
        which = ", ".join(f"windows/{one.window} {one.currency}".strip() for one in lost[:5])
        raise SliceTaken(slices=which, batch=f"batches/{taken[lost[0]]}")
    left = [one for one in wanted if one not in taken]
    if not left:
        windows = ", ".join(f"windows/{number}" for number in numbers[:5])
        raise NothingToSettle(windows=windows, currencies=", ".join(sorted(currencies)) or "any currency")
    return left


def take(connection: Connection, batch: int, slices: Sequence[Slice]) -> None:
    """They are this batch's; the unique index says so to everybody."""
    connection.execute(_TAKE, [{"batch": batch, **one._asdict()} for one in slices])


def give_back(connection: Connection, batch: int, at: datetime) -> None:
    """Another batch may have them."""
    connection.execute(_FREE, {"batch": batch, "at": at})


def of_batch(connection: Connection, batch: int) -> tuple[Slice, ...]:
    """A batch's slices, also of one that has given them back."""
    return tuple(Slice(*row) for row in connection.execute(_OF_BATCH, {"batch": batch}))


def window_is_settled(connection: Connection, number: int) -> bool:
    """Whether every slice of a closed window is in a batch that is settled."""
    taken = {Slice(*row[:2]) for row in connection.execute(_TAKEN, {"numbers": [number]})}
    if set(of_windows(connection, [number])) - taken:
        return False
    unsettled: int = connection.execute(_UNSETTLED, {"number": number}).scalar_one()
    return unsettled == 0
