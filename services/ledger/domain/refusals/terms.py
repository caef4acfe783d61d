"""What the ledger keeps of a partner's contract."""

from __future__ import annotations

from shared.refusal import Kind, Refusal


class AllowanceChanged(Refusal):
    kind = Kind.CHANGED
    message = "The allowance of {partner} stands at revision {revision}, which is not older than yours."
    remedy = "Read the allowance again; set a revision above {revision}."


class AllowanceNotFound(Refusal):
    kind = Kind.NOT_THERE
    message = "{partner} has no allowance: it may award without a limit."
    remedy = "Set one."


class PolicyChanged(Refusal):
    kind = Kind.CHANGED
    message = "The policy of {partner} stands at revision {revision}, which is not older than yours."
    remedy = "Read the policy again; set a revision above {revision}."


class PolicyNotFound(Refusal):
    kind = Kind.NOT_THERE
    message = "{partner} has no policy: the ledger's defaults are in force."
    remedy = "Set one."
