"""The ledger as a child would keep it: every single point is a coin that lies somewhere.

Slow and obvious on purpose. It shares no code with the ledger; what both must agree on is written out in `Seen`.
"""

from tests.ledger.model.coins import Ending, Line, Rules
from tests.ledger.model.purse import Purse
from tests.ledger.model.seen import Seen, SeenHold, SeenLot, seen
from tests.ledger.model.town import Now, Town

__all__ = ["Ending", "Line", "Now", "Purse", "Rules", "Seen", "SeenHold", "SeenLot", "Town", "seen"]
