"""Bank accounts: entered, approved, confirmed; never changed. Which one money may go to, and from when."""

from services.settlement.store.accounts.entering import approved, enter, verify
from services.settlement.store.accounts.rows import Stored, clearing, cooling_off, found, named, page, usable

__all__ = ["Stored", "approved", "clearing", "cooling_off", "enter", "found", "named", "page", "usable", "verify"]
