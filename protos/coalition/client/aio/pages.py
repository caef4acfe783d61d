"""Lists as asynchronous iterators: the next page is asked for when it is needed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Generic

from coalition.client.pages import Asked, Item, Paged, following


class Pages(Generic[Asked, Paged, Item]):
    """The items of a list: `async for entry in Pages(stub.ListEntries, request, lambda page: page.entries)`.

    Each `async for` begins at the page that the request names. To go on another day, walk over `.pages()` and keep
    `next_page_token`.
    """

    def __init__(
        self,
        ask: Callable[[Asked], Awaitable[Paged]],
        request: Asked,
        items: Callable[[Paged], Iterable[Item]],
    ) -> None:
        self._ask = ask
        self._request = request
        self._items = items

    async def __aiter__(self) -> AsyncIterator[Item]:
        async for page in self.pages():
            for item in self._items(page):
                yield item

    async def pages(self) -> AsyncIterator[Paged]:
        """Page by page, as the platform answers."""
        request: Asked | None = self._request
        while request is not None:
            page = await self._ask(request)
            yield page
            request = following(request, page)
