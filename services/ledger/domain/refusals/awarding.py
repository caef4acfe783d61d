"""Points are given."""

from __future__ import annotations

from shared.refusal import Kind, Refusal


class ReceiptAlreadyUsed(Refusal):
    kind = Kind.ALREADY
    message = "This receipt was awarded before, by entry {entry}."
    remedy = "Nothing to do: one receipt earns once."


class BalanceOutOfRange(Refusal):
    kind = Kind.NOT_NOW
    message = "The balance would exceed {most} points."
    remedy = "Award fewer points."


class PartnerNetDebitCapExceeded(Refusal):
    kind = Kind.NOT_NOW
    message = "{issuer} may award {allowance_points} more points, {requested} were asked for."
    remedy = "Award fewer points, or have the partner's cap raised or its position settled."


class IssuerNotAllowed(Refusal):
    kind = Kind.NOT_ALLOWED
    message = "You may award in your own name only, not in that of {issuer}."
    remedy = "Leave the issuer empty."


class IssuerTwice(Refusal):
    kind = Kind.MALFORMED
    message = 'Issuer {issuer} stands in more than one line of {unit} for campaign "{campaign}".'
    remedy = "Give each issuer, unit and campaign one line."


class AlreadyPastExpiry(Refusal):
    kind = Kind.MALFORMED
    message = "The last day of use {expires_on} is already over."
    remedy = "Give a last day of use of {today} or later."
