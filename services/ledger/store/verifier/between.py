"""A difference between two buckets: what one of them says of the other does not hold."""

from __future__ import annotations

from shared.verifying import Differs


class Between(Differs):
    """`other` is the bucket that may be the wrong one: whoever wants to know compares it by itself."""

    def __init__(self, subject: str, name: str, detail: str, other: int) -> None:
        super().__init__(subject, name, detail)
        self.other = other
