"""Who may call what: the checks that authenticate and authorise. Default deny; the tables are the services' own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from google.protobuf import descriptor_pool

from shared.clock import Clock
from shared.credentials.tokens import TokenInvalid, TokenMissing, TokenVerifier
from shared.log import add_fields
from shared.rpc.call import CallContext, header
from shared.rpc.caller import Caller, CallerUnknown, NotAllowed, Role, named_by

Access = Mapping[str, frozenset[Role]]

_NAMES = "x509_subject_alternative_name"
_BEARER = "bearer "


class Authenticate:
    """The check: the certificate names the caller; a partner shows a token of its own beside it.

    The TLS handshake has refused every certificate that is not our authority's. `tokenless` are the methods that take
    a partner's certificate alone: those that hand out tokens, and health.
    """

    def __init__(self, audience: str, tokens: TokenVerifier, clock: Clock, tokenless: frozenset[str]) -> None:
        self._audience = audience
        self._tokens = tokens
        self._clock = clock
        self._tokenless = tokenless

    def __call__(self, call: CallContext) -> None:
        caller = named_by(call.peer_identities() or () if call.peer_identity_key() == _NAMES else ())
        if caller.role is Role.PARTNER and call.method not in self._tokenless:
            self._require_token(caller, call)
        call.caller = caller
        add_fields(caller=caller.principal)

    def _require_token(self, caller: Caller, call: CallContext) -> None:
        value = header(call, "authorization")
        if value is None or not value[: len(_BEARER)].lower() == _BEARER:
            raise TokenMissing
        partner = self._tokens.verify(value[len(_BEARER) :].strip(), self._audience, self._clock.now())
        if partner != caller.partner:
            raise TokenInvalid


class Authorise:
    """The check: the caller's role must stand in the method's row."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def __call__(self, call: CallContext) -> None:
        if call.caller is None:
            raise CallerUnknown
        if call.caller.role not in self._access.get(call.method, frozenset()):
            raise NotAllowed(caller=call.caller.principal, method=call.method)


class IncompleteAccess(Exception):
    """The table and the contracts do not name the same methods."""


def methods_of(service_names: Iterable[str]) -> frozenset[str]:
    """The full names of all methods of these services, as the loaded contracts declare them."""
    pool = descriptor_pool.Default()
    services = [pool.FindServiceByName(name) for name in service_names]
    return frozenset(f"/{service.full_name}/{method.name}" for service in services for method in service.methods)


def check_complete(access: Access, service_names: Iterable[str]) -> None:
    """A server does not start with a method that nobody decided about, nor with a row that names no method."""
    methods = methods_of(service_names)
    undecided, unknown = methods - access.keys(), access.keys() - methods
    if undecided or unknown:
        raise IncompleteAccess(f"methods without a row: {sorted(undecided)}; rows without a method: {sorted(unknown)}")
