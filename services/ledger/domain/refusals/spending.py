"""Points are spent, held or sent: not so many."""

from __future__ import annotations

from shared.refusal import Kind, Refusal


class InsufficientPoints(Refusal):
    kind = Kind.NOT_NOW
    message = "{available} points are available, {requested} were asked for."
    remedy = "Ask for at most {max_redeemable_points}."


class RedemptionLimit(Refusal):
    kind = Kind.NOT_NOW
    message = "{requested} points cannot be spent here at once; at least {minimum}, in steps of {step}."
    remedy = "Ask for {max_redeemable_points}."


class TooManyLots(Refusal):
    kind = Kind.NOT_NOW
    message = "The points lie in more than {most_lots} lots; {possible} of them can be moved at once."
    remedy = "Ask for at most {possible}, then for the rest."


class GrantScopeExceeded(Refusal):
    kind = Kind.NOT_ALLOWED
    message = "The grant allows at most {allowed} points, {requested} were asked for."
    remedy = "Resolve the member again with the limit that you need."
