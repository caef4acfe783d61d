"""A bank that takes files by HTTP POST. What it thinks of a file comes later, as a message: this is only the door."""

from __future__ import annotations

import http.client
import ssl
from urllib.parse import urlsplit

from services.settlement.domain.sending import Outcome, Receipt

_TYPE = "application/xml; charset=utf-8"
_HEARD = {409, 422}  # it read the file and has something to say about it, which it also says in its own message


class Http:
    """POSTs to one address. Certificates are those that this machine trusts."""

    name = "http"

    def __init__(self, address: str, *, checks_duplicates: bool, seconds: float) -> None:
        parts = urlsplit(address)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("the address of the bank is not http://host/path or https://host/path")
        self._parts = parts
        self._seconds = seconds
        self.checks_duplicates = checks_duplicates

    def send(self, message_id: str, content: bytes) -> Receipt:
        connection = self._connection()
        try:
            connection.connect()
        except OSError as error:
            return Receipt(Outcome.REFUSED, f"no connection: {type(error).__name__}")
        try:
            connection.request("POST", self._parts.path or "/", content, {"Content-Type": _TYPE})
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            return Receipt(Outcome.UNCLEAR, f"no answer: {type(error).__name__}")
        finally:
            connection.close()
        return _receipt(answer.status)

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=self._seconds, context=ssl.create_default_context())
        return http.client.HTTPConnection(host, port, timeout=self._seconds)


def _receipt(status: int) -> Receipt:
    if status < 300 or status in _HEARD:
        return Receipt(Outcome.TAKEN, f"HTTP {status}")
    if 400 <= status < 500:
        return Receipt(Outcome.REFUSED, f"HTTP {status}")
    return Receipt(Outcome.UNCLEAR, f"HTTP {status}")
