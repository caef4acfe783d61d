"""Request headers as HTTP/2 packs them (RFC 7541), as far as a caller needs it that sends the same ones each time."""

from __future__ import annotations

_POST = b"\x83\x87"
"""`:method: POST` and `:scheme: https` in the table that every peer knows."""


class Headers:
    """In full once, by their number in the dynamic table from then on: a few bytes a call."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], int] = {}
        self._blocks: dict[tuple[tuple[str, str], ...], bytes] = {}

    def block(self, headers: tuple[tuple[str, str], ...]) -> bytes:
        if headers in self._blocks:
            return self._blocks[headers]
        all_of_them = (*headers, ("content-type", "application/grpc"), ("te", "trailers"), ("grpc-timeout", "20S"))
        first, again = (_POST + b"".join(map(self._written, all_of_them)) for _ in range(2))
        self._blocks[headers] = again
        return first

    def _written(self, header: tuple[str, str]) -> bytes:
        if header in self._known:
            return _number(62 + len(self._known) - 1 - self._known[header], 7, 0x80)
        self._blocks.clear()  # every number moves up
        self._known[header] = len(self._known)
        name, value = (text.encode() for text in header)
        return b"\x40" + _number(len(name), 7, 0) + name + _number(len(value), 7, 0) + value


def _number(value: int, bits: int, first: int) -> bytes:
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    rest, value = bytearray([first | most]), value - most
    while value >= 128:
        rest.append(value % 128 | 128)
        value //= 128
    return bytes([*rest, value])
