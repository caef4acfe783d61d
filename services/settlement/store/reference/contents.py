"""What a proposal of reference data says."""

from __future__ import annotations

import json
from typing import Any

from services.settlement.domain.proposal import Proposal


def content_of(proposal: Proposal) -> dict[str, Any]:
    """What was proposed, as it was given."""
    found: dict[str, Any] = json.loads(proposal.document)["content"]
    return found
