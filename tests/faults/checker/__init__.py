"""Whether one ledger can have given all these answers, told from the history alone; linear but for the sorting.

Sort by place, replay with a plain model, compare every answer, every refusal and every balance that was read.
"""

from __future__ import annotations

from tests.faults.checker.answers import unlike_the_journal
from tests.faults.checker.journal import Replayed, replayed
from tests.faults.checker.order import Windows, out_of_time
from tests.faults.checker.transit import lost_in_transit
from tests.faults.checker.undone import unjustified_looks, unjustified_refusals
from tests.faults.record import History

__all__ = ["Replayed", "replayed", "violations"]


def violations(history: History) -> list[str]:
    """Everything that no honest ledger can have done, each in a sentence that begins with the kind of it."""
    journal = replayed(history.journal)
    windows = Windows(history.calls, journal)
    return [
        *journal.violations,
        *unlike_the_journal(history.calls, journal),
        *lost_in_transit(journal, at_rest=history.at_rest),
        *out_of_time(history.calls, journal),
        *unjustified_refusals(history, journal, windows),
        *unjustified_looks(history, journal, windows),
    ]
