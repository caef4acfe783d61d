"""What a command of ours refuses by itself."""

from __future__ import annotations

from shared.refusal import Kind, Refusal


class FileUnreadable(Refusal):
    """A file that was named cannot be read, or does not hold what it should."""

    kind = Kind.MALFORMED
    message = "{file} cannot be used: {why}."
    remedy = "Name another file."


class KeyUnknown(Refusal):
    """Nobody said whose signature to believe."""

    kind = Kind.MALFORMED
    message = "No public key was named, and there is none in {looked_at}."
    remedy = "Name the operator's public key with --key."


class StatementNotVerified(Refusal):
    """A statement that does not hold."""

    kind = Kind.NOT_NOW
    message = "NOT VERIFIED: {file}, {where}: {why}."
    remedy = "Ask the operator for the statement again, and keep its bytes as they are sent."
