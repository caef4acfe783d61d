"""Who is calling, as their certificate says it: `spiffe://coalition/<kind>/<name>` in its subject alternative names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache

import grpc

from shared.refusal import Kind, Refusal

TRUST_DOMAIN = "spiffe://coalition/"
CALLER_PATH = re.compile(r"(service|operator|partner)/([a-z][a-z0-9-]{1,62})")


class Role(Enum):
    """What a caller is to us; the tables in `access.py` are written in these words."""

    PARTNER = "partner"
    OPERATOR = "operator"
    CATALOGUE = "catalogue"
    SETTLEMENT = "settlement"
    IDENTITY = "identity"
    LEDGER = "ledger"


SERVICES = frozenset({Role.CATALOGUE, Role.SETTLEMENT, Role.IDENTITY, Role.LEDGER})
EVERYONE = frozenset(Role)


class NotAllowed(Refusal):
    """The method is not in the caller's row of the table."""

    kind = Kind.NOT_ALLOWED
    message = "{caller} may not call {method}."
    remedy = "Ask the operator of the programme."


class CallerUnknown(Refusal):
    """A certificate of our authority that names nobody we know."""

    kind = Kind.UNAUTHENTICATED
    message = "The certificate does not name a caller of this programme."
    remedy = "Use the certificate that the operator of the programme issued to you."


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a call comes from. `name` is the bare name: a user, a service or a partner.

    `principal` is the one spelling for logs, limits and audit columns: `operator/anna`, `partner/grocer`,
    `service/ledger`.
    """

    role: Role
    name: str
    partner: str | None = None
    principal: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        kind = "service" if self.role in SERVICES else self.role.value
        object.__setattr__(self, "principal", f"{kind}/{self.name}")

    def as_partner(self) -> str:
        """The partner on whose behalf the call is made, when it is a partner's own call."""
        if self.partner is None:
            raise NotAllowed(caller=self.principal, method="a call that only partners make")
        return self.partner


def caller(context: grpc.ServicerContext) -> Caller:
    """The authenticated caller of this RPC. The authenticate step put it there; without that step there is none."""
    found = getattr(context, "caller", None)
    if not isinstance(found, Caller):
        raise TypeError("nobody authenticated this call: it did not come through shared.rpc.server")
    return found


def named_by(alternative_names: Iterable[bytes]) -> Caller:
    """The caller that a certificate's subject alternative names name: exactly one of ours, or the call is refused."""
    return _named_by(tuple(alternative_names))


@lru_cache(maxsize=4096)
def _named_by(alternative_names: tuple[bytes, ...]) -> Caller:
    ours = [name.decode("ascii", "replace") for name in alternative_names if name.startswith(b"spiffe://")]
    if len(ours) != 1 or not ours[0].startswith(TRUST_DOMAIN):
        raise CallerUnknown
    match = CALLER_PATH.fullmatch(ours[0].removeprefix(TRUST_DOMAIN))
    if match is None:
        raise CallerUnknown
    kind, name = match.groups()
    if kind == "partner":
        return Caller(Role.PARTNER, name, partner=name)
    if kind == "operator":
        return Caller(Role.OPERATOR, name)
    try:
        role = Role(name)
    except ValueError:
        raise CallerUnknown from None
    if role not in SERVICES:
        raise CallerUnknown
    return Caller(role, name)
