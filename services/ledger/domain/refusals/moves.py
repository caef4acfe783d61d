"""Points go to another wallet."""

from __future__ import annotations

from shared.refusal import Kind, Refusal


class TransferToItself(Refusal):
    kind = Kind.MALFORMED
    message = "Both grants name the same wallet."
    remedy = "Name two members."


class TransferLimit(Refusal):
    kind = Kind.NOT_NOW
    message = "{transferable_points} points may be sent now, {requested} were asked for."
    remedy = "Send at most {transferable_points}, or wait until tomorrow."


class WalletMerged(Refusal):
    kind = Kind.NOT_NOW
    message = "This wallet was merged into another one."
    remedy = "Name the member that it was merged into."
