"""Names that a bank gives back to us: at most 35 characters of the restricted alphabet, made of what they name."""

from __future__ import annotations

import re
from hashlib import sha256

LONGEST = 35
_ALPHABET = re.compile(r"[A-Za-z0-9/?:().,'+ -]{1,35}")
_DIGITS = {character: str(number) for number, character in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")}
_FINGERPRINT = 8


def message_id(batch: int, revision: int, number: int) -> str:
    """The MsgId of a batch's file: a replacement has another one."""
    return _checked(f"B{batch}-R{revision}-F{number}")


def end_to_end_id(batch: int, partner: str, attempt: int) -> str:
    """What the payment is called from here to the partner's bank statement. A long partner's name is cut and hashed."""
    before, after = f"B{batch}-", f"-{attempt}"
    room = LONGEST - len(before) - len(after)
    if len(partner) > room:
        fingerprint = sha256(partner.encode()).hexdigest()[:_FINGERPRINT]
        partner = f"{partner[: room - _FINGERPRINT - 1]}-{fingerprint}"
    return _checked(f"{before}{partner}{after}")


def reference(of_end_to_end_id: str) -> str:
    """The structured reference (ISO 11649) under which a partner pays in: `RF`, check digits, 21 characters."""
    body = sha256(of_end_to_end_id.encode()).hexdigest()[:21].upper()
    return f"RF{_check_digits(body)}{body}"


def is_ours(text: str) -> bool:
    """Whether a bank would carry it unchanged: no blank or slash at an end, no two slashes."""
    return _ALPHABET.fullmatch(text) is not None and text.strip(" /") == text and "//" not in text


def _check_digits(body: str) -> str:
    number = int("".join(_DIGITS[character] for character in f"{body}RF00"))
    return f"{98 - number % 97:02d}"


def _checked(text: str) -> str:
    if not is_ours(text):
        raise ValueError(f"{text!r} does not fit into {LONGEST} characters of the restricted alphabet")
    return text
