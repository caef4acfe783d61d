"""Of a hold."""

from __future__ import annotations

from shared.refusal import Kind, Refusal


class HoldNotFound(Refusal):
    kind = Kind.NOT_THERE
    message = "There is no hold {hold} of yours."
    remedy = "Check the name."


class HoldClosed(Refusal):
    kind = Kind.NOT_NOW
    message = "Hold {hold} is {state}."
    remedy = "Place a new hold."


class HoldExpired(Refusal):
    kind = Kind.NOT_NOW
    message = "Hold {hold} ended at {expired_at}; its points went back."
    remedy = "Place a new hold."


class CaptureExceedsHold(Refusal):
    kind = Kind.NOT_NOW
    message = "Hold {hold} reserves {held} points, {requested} were to be captured."
    remedy = "Capture at most {held}."


class ReleaseExceedsHold(Refusal):
    kind = Kind.NOT_NOW
    message = "Hold {hold} reserves {held} points, {requested} were to be released."
    remedy = "Release at most {held}."


class HoldEndsLater(Refusal):
    kind = Kind.NOT_NOW
    message = "Hold {hold} lives until {expires_at} already."
    remedy = "Nothing to do; a hold is never shortened, it is released."
