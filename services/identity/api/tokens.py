"""TokenService: a credential and its secret become an access token."""

from __future__ import annotations

from datetime import timedelta

import grpc
from coalition.identity.v1 import identity_pb2 as pb
from coalition.identity.v1 import identity_pb2_grpc as rpc

from services.identity.api.names import uuid_in
from services.identity.domain.partners import CredentialRefused
from services.identity.store.credentials import Credentials
from services.identity.store.fresh import Fresh
from services.identity.store.secrets import Secrets
from shared.clock import Clock
from shared.credentials.tokens import TokenSigner
from shared.rpc.caller import caller
from shared.rpc.deadline import time_left
from shared.rpc.wire import timestamp

AUDIENCE = ("identity", "ledger", "catalogue", "settlement")


class TokenService(rpc.TokenServiceServicer):
    """Answers every wrong credential alike, and takes as long for one that does not exist."""

    def __init__(
        self,
        credentials: Credentials,
        secrets: Secrets,
        signer: TokenSigner,
        fresh: Fresh,
        clock: Clock,
        lifetime: timedelta,
    ) -> None:
        self._credentials = credentials
        self._secrets = secrets
        self._signer = signer
        self._fresh = fresh
        self._clock = clock
        self._lifetime = lifetime

    def IssueToken(self, request: pb.IssueTokenRequest, context: grpc.ServicerContext) -> pb.IssueTokenResponse:
        partner, at = caller(context).as_partner(), self._clock.now().replace(microsecond=0)
        if not self._secrets.fits(request.secret, self._hash_in_force(request.credential, partner, time_left(context))):
            raise CredentialRefused
        token = self._signer.sign(partner, AUDIENCE, at, self._lifetime, str(self._fresh.id(at)))
        return pb.IssueTokenResponse(access_token=token, expire_time=timestamp(at + self._lifetime))

    def _hash_in_force(self, name: str, partner: str, within: float) -> str | None:
        """What the secret must fit; nothing fits a credential that is unknown, ended or another partner's."""
        credential_id = uuid_in(name)
        if credential_id is None or name.split("/")[1] != partner:
            return None
        credential = self._credentials.find(partner, credential_id, within)
        return credential.secret_hash if credential and credential.revoked_at is None else None
