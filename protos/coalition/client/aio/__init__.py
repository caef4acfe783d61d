"""The client of a partner for asyncio: the same names as `coalition.client`, which also has the refusals.

from coalition.client.aio import connect

async with connect("path/to/kit") as coalition:
    entry = await coalition.ledger.AwardPoints(...)
    async for entry in coalition.list_entries():
        ...
"""

from __future__ import annotations

from coalition.client.aio.pages import Pages
from coalition.client.aio.partner import Coalition, connect
from coalition.client.aio.replays import was_replayed
from coalition.client.aio.tokens import IssuedTokens, Tokens

__all__ = ["Coalition", "IssuedTokens", "Pages", "Tokens", "connect", "was_replayed"]
