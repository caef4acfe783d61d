"""A gRPC connection for load and nothing else: it shares two cores with the service, so it must cost next to nothing.

grpcio's own client costs about as much per call as the service itself. This one sends and receives the same frames over
the same mutual TLS; requests are bytes made beforehand, and one read or write carries the frames of many calls. What it
does not do: dynamic tables of the peer (it asks for none), names of trailers beyond `grpc-status`, retries.
"""

from __future__ import annotations

import selectors
import socket
import ssl
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.credentials.authority import Leaf
from tests.load.hpack import Headers

_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY, _WINDOW = 0, 1, 3, 4, 6, 7, 8
_END_STREAM, _END_HEADERS, _ACK = 1, 4, 1
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_FRAME_BYTES = 16_384
_WINDOW_BYTES = 2**31 - 1
_READ_BYTES = 1 << 20
_FINE = b"grpc-status\x010"

Answered = Callable[[bytes, str], None]
"""Told the message of an answer, or why there is none."""


class ConnectionLost(Exception):
    """The service ended the connection."""


@dataclass(slots=True)
class _Call:
    answered: Answered
    answer: bytearray = field(default_factory=bytearray)
    window: int = 0


class Connection:
    """One TLS connection with many calls in flight."""

    def __init__(self, target: str, leaf: Leaf, metadata: tuple[tuple[str, str], ...]) -> None:
        host, _, port = target.rpartition(":")
        context = ssl.create_default_context(cafile=str(leaf.ca_file))
        context.load_cert_chain(leaf.certificate_file, leaf.key_file)
        context.set_alpn_protocols(["h2"])
        plain = socket.create_connection((host, int(port)), timeout=10)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = context.wrap_socket(plain, server_hostname=host)
        self.socket.setblocking(False)
        self._metadata = ((":authority", target), *metadata)
        self._headers = Headers()
        self._out = bytearray(_PREFACE + _frame(_SETTINGS, 0, 0, struct.pack(">HIHI", 1, 0, 4, _WINDOW_BYTES)))
        self._out += _frame(_WINDOW, 0, 0, struct.pack(">I", _WINDOW_BYTES - 65_535))
        self._in = bytearray()
        self._next = 1
        self._calls: dict[int, _Call] = {}
        self._window = self._first_window = 65_535
        self._stuck: deque[tuple[int, memoryview]] = deque()

    @property
    def in_flight(self) -> int:
        return len(self._calls)

    @property
    def wants(self) -> int:
        """What to wait for, as `selectors` names it."""
        return selectors.EVENT_READ | (selectors.EVENT_WRITE if self._out else 0)

    def call(self, method: str, request: bytes, answered: Answered) -> None:
        """Queue a call; `flush` sends it."""
        stream, self._next = self._next, self._next + 2
        self._calls[stream] = _Call(answered, window=self._first_window)
        block = self._headers.block(((":path", method), *self._metadata))
        self._out += _frame(_HEADERS, _END_HEADERS, stream, block)
        self._stuck.append((stream, memoryview(b"\0" + len(request).to_bytes(4, "big") + request)))
        self._unstick()

    def flush(self) -> None:
        """Send what is queued, as far as the socket takes it."""
        while self._out:
            try:
                del self._out[: self.socket.send(self._out)]
            except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                return

    def receive(self) -> None:
        """Take what has arrived and tell whoever it is for."""
        while True:
            try:
                arrived = self.socket.recv(_READ_BYTES)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                break
            if not arrived:
                raise ConnectionLost
            self._in += arrived
        self._take_frames()
        self._unstick()
        self.flush()

    def _take_frames(self) -> None:
        frames, at = bytes(self._in), 0
        while len(frames) - at >= 9:
            size = int.from_bytes(frames[at : at + 3], "big")
            if len(frames) - at - 9 < size:
                break
            kind, flags = frames[at + 3], frames[at + 4]
            stream = int.from_bytes(frames[at + 5 : at + 9], "big")
            self._take(kind, flags, stream, frames[at + 9 : at + 9 + size])
            at += 9 + size
        del self._in[:at]

    def _take(self, kind: int, flags: int, stream: int, content: bytes) -> None:
        if kind == _DATA:
            if call := self._calls.get(stream):
                call.answer += content
        elif kind == _HEADERS:
            if flags & _END_STREAM:
                self._end(stream, "" if _FINE in content else repr(content))
        elif kind == _RESET:
            self._end(stream, f"reset {int.from_bytes(content, 'big')}")
        elif kind == _WINDOW:
            self._widen(stream, int.from_bytes(content, "big"))
        elif kind == _SETTINGS and not flags & _ACK:
            self._settle(content)
        elif kind == _PING and not flags & _ACK:
            self._out += _frame(_PING, _ACK, 0, content)
        elif kind == _GOAWAY:
            raise ConnectionLost(repr(content))

    def _end(self, stream: int, why: str) -> None:
        if call := self._calls.pop(stream, None):
            call.answered(bytes(memoryview(call.answer)[5:]), why)

    def _widen(self, stream: int, by: int) -> None:
        if stream == 0:
            self._window += by
        elif stream in self._calls:
            self._calls[stream].window += by

    def _settle(self, content: bytes) -> None:
        for key, value in struct.iter_unpack(">HI", content):
            if key == 4:  # the window that each stream begins with
                for call in self._calls.values():
                    call.window += value - self._first_window
                self._first_window = value
        self._out += _frame(_SETTINGS, _ACK, 0, b"")

    def _unstick(self) -> None:
        """Send requests as far as the service's windows let us."""
        while self._stuck:
            stream, rest = self._stuck[0]
            call = self._calls.get(stream)
            if call is None:
                self._stuck.popleft()
                continue
            size = min(len(rest), _FRAME_BYTES, call.window, self._window)
            if size <= 0:
                return
            self._window -= size
            call.window -= size
            last = size == len(rest)
            self._out += _frame(_DATA, _END_STREAM if last else 0, stream, rest[:size])
            if last:
                self._stuck.popleft()
            else:
                self._stuck[0] = (stream, rest[size:])


def _frame(kind: int, flags: int, stream: int, content: bytes | memoryview) -> bytes:
    return b"".join((len(content).to_bytes(3, "big"), bytes((kind, flags)), stream.to_bytes(4, "big"), content))
