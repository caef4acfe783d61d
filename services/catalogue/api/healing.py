"""The healer: finishes what a crash, or a ledger that was away, left between two transactions."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.catalogue.api.patience import seconds
from services.catalogue.api.recording import Recorder
from services.catalogue.api.refunding import Refunder
from services.catalogue.domain.purchase import Refund, Standing
from services.catalogue.store import purchases, refunds
from shared.db.sessions import Sessions
from shared.log import get_logger
from shared.refusal import Refusal
from shared.repeating import Repeating

log = get_logger()

_AT_ONCE = 500
_MOST = 10_000
_PATIENCE = seconds(30.0)
_STOP_SECONDS = 5.0


class Healer:
    """Looks again and again for purchases and refunds that the ledger may not have.

    What it sees for the first time is probably being posted by somebody right now, so it takes up only what it saw at
    the look before: age is counted in looks, for the clock of a sandbox may stand still. Its very first look comes
    after a start and takes up everything. Meeting somebody at the same work does no harm: the ledger posts it once.
    """

    def __init__(self, sessions: Sessions, recorder: Recorder, refunder: Refunder, every_seconds: int) -> None:
        self._sessions = sessions
        self._recorder = recorder
        self._refunder = refunder
        self._seen: frozenset[UUID] | None = None
        self._thread = Repeating("healer", self.look, every_seconds, work="healing")

    def start(self) -> None:
        """Begin, with a first look at once."""
        self._thread.start()

    def stop(self) -> None:
        """End after the work at hand."""
        self._thread.stop(_STOP_SECONDS)

    def look(self) -> int:
        """One look; answers how many it finished."""
        with self._sessions.reading(_PATIENCE()) as connection:
            late = purchases.unposted(connection, _MOST)
            returned = refunds.unposted(connection, _MOST)
        seen, self._seen = self._seen, frozenset([*late, *(refund.refund_id for refund in returned)])
        done = 0
        due = [one for one in late if seen is None or one in seen]
        for start in range(0, len(due), _AT_ONCE):
            done += self._post(due[start : start + _AT_ONCE])
        for refund in returned:
            if seen is None or refund.refund_id in seen:
                done += self._take_back(refund)
        if done:
            log.info("healed", items=done)
        return done

    def _post(self, ids: Sequence[UUID]) -> int:
        with self._sessions.reading(_PATIENCE()) as connection:
            found = purchases.of_ids(connection, ids)
        owed = [purchase for purchase in found.values() if purchase.standing is Standing.RATED]
        return len(self._recorder.finish(owed, _PATIENCE))

    def _take_back(self, refund: Refund) -> int:
        with self._sessions.reading(_PATIENCE()) as connection:
            purchase = purchases.find(connection, refund.partner, refund.purchase_id)
        if purchase is None:
            return 0
        try:
            self._refunder.finish(purchase, refund, _PATIENCE)
        except Refusal as refusal:
            log.info("a refund stays open", purchase=purchase.name, reason=refusal.reason)
            return 0
        return 1
