"""What the clock does by itself."""

from __future__ import annotations

from shared.refusal import Kind, Refusal


class NothingDue(Refusal):
    """The clock's work was done by somebody else in the meantime. Never leaves the service."""

    kind = Kind.NOT_NOW
    message = "Nothing is due."
