"""Request ids: one for each intention, made by the caller."""

from __future__ import annotations

import uuid


def new_request_id() -> str:
    """An id for one intention. Store it before the first attempt, and repeat with it until there is an answer."""
    return str(uuid.uuid4())
