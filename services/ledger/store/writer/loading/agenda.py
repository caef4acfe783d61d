"""What is to be asked in the next round."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from services.ledger.domain.entry import Place, Unit
from services.ledger.store.writer.working_set import ReceiptKey, RequestKey, WalletKey

K = TypeVar("K", bound=Hashable)


class News(Generic[K]):
    """What to ask about: each thing once."""

    def __init__(self, first: Iterable[K] = ()) -> None:
        self._seen = dict.fromkeys(first)
        self.news = list(self._seen)

    def add(self, thing: K) -> None:
        if thing not in self._seen:
            self._seen[thing] = None
            self.news.append(thing)

    def taken(self) -> list[K]:
        """What is new; it is asked now."""
        news, self.news = self.news, []
        return news


@dataclass
class Agenda:
    """News by subject, but `heads` are buckets.

    Wallets: all go into `rows`; those that spend into `spending`, those of which every lot may matter into `whole`, and
    into `owing`, `pending` and `holding` what their balances tell. Entries: `originals` are named by wishes, `repeats`
    are what requests became before; `awards`, `holds` and `redemptions` are what belongs to originals.
    """

    heads: News[int]
    rows: News[WalletKey]
    spending: News[tuple[WalletKey, Unit]]
    whole: News[WalletKey]
    senders: News[WalletKey]
    originals: News[Place]
    requests: News[RequestKey]
    receipts: News[ReceiptKey]
    owing: News[WalletKey] = field(default_factory=News)
    pending: News[WalletKey] = field(default_factory=News)
    holding: News[WalletKey] = field(default_factory=News)
    aliases: News[WalletKey] = field(default_factory=News)
    repeats: News[Place] = field(default_factory=News)
    awards: News[Place] = field(default_factory=News)
    holds: News[Place] = field(default_factory=News)
    redemptions: News[Place] = field(default_factory=News)

    def has_news(self) -> bool:
        return any(subject.news for subject in vars(self).values())
