"""Corrections by hand."""

from __future__ import annotations

from shared.refusal import Kind, Refusal


class AdjustmentNeedsSecondPerson(Refusal):
    kind = Kind.NOT_ALLOWED
    message = "{proposed_by} proposed this adjustment and cannot approve it."
    remedy = "Have another person approve it."


class AdjustmentAboveLimit(Refusal):
    kind = Kind.NOT_NOW
    message = "An adjustment may move at most {limit} points, {requested} were asked for."
    remedy = "Adjust at most {limit}, or have the programme's limit raised."


class AdjustmentNotFound(Refusal):
    kind = Kind.NOT_THERE
    message = "There is no adjustment {adjustment}."
    remedy = "Check the name."


class AdjustmentDecided(Refusal):
    kind = Kind.NOT_NOW
    message = "Adjustment {adjustment} was {state} by {decided_by}."
    remedy = "Propose another one."
