"""Pages: sizes that are coerced, and tokens that only continue the query they came from.

A token is sealed: it says where to go on (a keyset position, never an offset) and is bound to the query and the caller
by a fingerprint, so that it can neither be read, nor made up, nor used for another list.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import Message

from shared.credentials.files import read_secret
from shared.refusal import Kind, Refusal
from shared.rpc.caller import Caller
from shared.settings import ServiceSettings

Position = tuple[str | int, ...]

_NONCE = 12
_MOST_CHARACTERS = 1024


class InvalidPageToken(Refusal):
    """The token is not ours, or belongs to another query."""

    kind = Kind.MALFORMED
    message = "The page token does not continue this query."
    remedy = "Use next_page_token of the previous page with the same request, or start at the first page."

    def __init__(self) -> None:
        super().__init__(field="page_token")


class InvalidPageSize(Refusal):
    """A negative size."""

    kind = Kind.MALFORMED
    message = "A page cannot have {requested} items."
    remedy = "Ask for 0 items to get the default size."


def page_size(requested: int, default: int = 100, maximum: int = 1000) -> int:
    """How many items the page will have: the default for 0, never more than the maximum."""
    if requested < 0:
        raise InvalidPageSize(field="page_size", requested=requested)
    return min(requested or default, maximum)


def query_fingerprint(method: str, caller: Caller, request: Message) -> bytes:
    """What makes a query the same query: who asks, what, and with which fields, the page's own aside."""
    query = type(request)()
    query.CopyFrom(request)
    for field in ("page_size", "page_token"):
        if field in query.DESCRIPTOR.fields_by_name:
            query.ClearField(field)
    parts = (method.encode(), caller.principal.encode(), query.SerializeToString(deterministic=True))
    return hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).digest()


def page_key(settings: ServiceSettings) -> bytes:
    """Key material that needs no file of its own: it follows from our private key.

    When that is rotated, tokens under way are refused and readers start again at the first page.
    """
    return hashlib.sha256(b"coalition page tokens\0" + read_secret(settings.key_file)).digest()


def seal_page(key_material: bytes, query_fingerprint: bytes, position: Sequence[str | int]) -> str:
    """The token for the page that begins after `position`."""
    nonce = os.urandom(_NONCE)
    content = json.dumps(list(position), separators=(",", ":")).encode()
    sealed = _cipher(key_material).encrypt(nonce, content, query_fingerprint)
    return base64.urlsafe_b64encode(nonce + sealed).rstrip(b"=").decode()


def open_page(key_material: bytes, query_fingerprint: bytes, token: str) -> Position | None:
    """Where to go on; None for the first page, which has an empty token. Raises InvalidPageToken."""
    if not token:
        return None
    if len(token) > _MOST_CHARACTERS:
        raise InvalidPageToken
    try:
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        content = _cipher(key_material).decrypt(sealed[:_NONCE], sealed[_NONCE:], query_fingerprint)
    except (InvalidTag, ValueError):
        raise InvalidPageToken from None
    return tuple(json.loads(content))


def _cipher(key_material: bytes) -> AESGCM:
    return AESGCM(hashlib.sha256(b"page\0" + key_material).digest())
