"""Lists as iterators: the next page is asked for when it is needed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, Protocol, TypeVar


class Listing(Protocol):
    """What every List method is asked with."""

    page_token: str


class Page(Protocol):
    """What every List method answers."""

    @property
    def next_page_token(self) -> str: ...


Asked = TypeVar("Asked", bound=Listing)
Paged = TypeVar("Paged", bound=Page)
Item = TypeVar("Item")


class Pages(Generic[Asked, Paged, Item]):
    """The items of a list: `for entry in Pages(stub.ListEntries, request, lambda page: page.entries)`.

    Each `for` begins at the page that the request names. To go on another day, walk over `.pages()` and keep
    `next_page_token`.
    """

    def __init__(self, ask: Callable[[Asked], Paged], request: Asked, items: Callable[[Paged], Iterable[Item]]) -> None:
        self._ask = ask
        self._request = request
        self._items = items

    def __iter__(self) -> Iterator[Item]:
        for page in self.pages():
            yield from self._items(page)

    def pages(self) -> Iterator[Paged]:
        """Page by page, as the platform answers."""
        request: Asked | None = self._request
        while request is not None:
            page = self._ask(request)
            yield page
            request = following(request, page)


def following(request: Asked, page: Page) -> Asked | None:
    """The request for the page after this one; none after the last."""
    if not page.next_page_token:
        return None
    after = copy.deepcopy(request)
    after.page_token = page.next_page_token
    return after
