"""Access tokens for asyncio: fetched when they are first needed, renewed before they end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from coalition.client.kit import Kit
from coalition.client.lease import Clocks, Lease
from coalition.identity.v1 import identity_pb2 as pb


class Tokens(Protocol):
    """Where a client gets the token that it sends with each call.

    Give `connect` another one to keep secrets elsewhere.
    """

    async def token(self) -> str:
        """A token that should be good now."""
        ...

    async def instead_of(self, stale: str) -> str:
        """Another token than this one, which the platform has just refused."""
        ...


class IssuedTokens:
    """Tokens that identity issues for the credential and the secret of a kit."""

    def __init__(
        self,
        kit: Kit,
        issue: Callable[[pb.IssueTokenRequest], Awaitable[pb.IssueTokenResponse]],
        clocks: Clocks | None = None,
    ) -> None:
        self._request = pb.IssueTokenRequest(credential=kit.credential, secret=kit.secret)
        self._issue = issue
        self._clocks = clocks or Clocks()
        self._lock = asyncio.Lock()
        self._lease: Lease | None = None

    async def token(self) -> str:
        """The present token, or the next when little of its time is left."""
        async with self._lock:
            lease = self._lease
            if lease is None or self._clocks.steady() >= lease.renew_at:
                lease = await self._renewed()
            return lease.token

    async def instead_of(self, stale: str) -> str:
        """A fresh token, unless another task has fetched one meanwhile."""
        async with self._lock:
            lease = self._lease
            if lease is None or lease.token == stale:
                lease = await self._renewed()
            return lease.token

    async def _renewed(self) -> Lease:
        asked_at = self._clocks.steady()
        self._lease = Lease.of(await self._issue(self._request), asked_at, self._clocks)
        return self._lease
