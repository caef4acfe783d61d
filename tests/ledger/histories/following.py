"""What the clock does by itself, taken into the model in the order in which the ledger did it."""

from __future__ import annotations

from collections import deque

from services.ledger.domain.entry import AccountKind, Entry, EntryKind
from tests.ledger.histories.town import InTown
from tests.ledger.model import Purse, seen

_ARRIVALS = (EntryKind.TRANSFER_IN, EntryKind.MERGE_IN)


class Following(InTown):
    """Reads each bucket's news once, and follows them one by one."""

    def _read(self, bucket: int) -> list[Entry]:
        """What was posted there since somebody read it last."""
        found = list(self.since(bucket, self.heads[bucket]))
        assert [entry.seq for entry in found] == [self.heads[bucket] + 1 + n for n in range(len(found))]
        self.heads[bucket] += len(found)
        return found

    def _news(self, bucket: int) -> deque[Entry]:
        """What nobody has followed yet."""
        news = self.unfollowed[bucket]
        news += self._read(bucket)
        return news

    def _follow(self, *buckets: int) -> None:
        for bucket in buckets:
            news = self._news(bucket)
            while news:
                self._followed(news.popleft())

    def _follow_from(self, bucket: int, out: int) -> None:
        """What arrives left before: that bucket's news up to there come first."""
        news = self._news(bucket)
        while news and (bucket, out) not in self.town.on_the_way:
            self._followed(news.popleft())

    def _followed(self, entry: Entry) -> None:
        """The model does what the clock did, and knows whether it was time."""
        if entry.wallet not in self.wallets:
            return
        name = self._purse(entry.wallet)
        purse, now = self.town.purses[name], self.moment
        match entry.kind:
            case EntryKind.RELEASE:
                purse.hold_ended(entry.original or 0, now.today, now.at)
            case EntryKind.PENDING_RELEASE:
                purse.became_ready(_parts(entry, AccountKind.PENDING), now.today, now.at)
            case EntryKind.EXPIRY:
                purse.expired(_parts(entry, AccountKind.AVAILABLE), now.today)
            case EntryKind.MERGE_OUT:
                assert entry.counterpart
                to = self._purse(entry.counterpart.wallet)
                assert self.town.merge(name, to, entry.seq, asked=False) == ""
                self.under_way.append(entry)
            case _:
                bucket, out = _sender_of(entry)
                if (bucket, out) not in self.town.on_the_way:
                    self._follow_from(bucket, out)
                assert self.town.deliver(bucket, out, entry.seq, now.today) == name
                purse.acted[entry.seq] = entry.partner
                self.under_way = [other for other in self.under_way if (other.bucket, other.seq) != (bucket, out)]
        self._says_what_there_is(purse, entry)

    def _says_what_there_is(self, purse: Purse, entry: Entry) -> None:
        """An answer carries the balances after it."""
        balances = seen(purse).balances
        for unit, balance in [(entry.unit, entry.balance), *entry.others]:
            assert (unit, tuple(balance)) == (unit, balances.get(unit.name, (0, 0, 0, 0)))


def _sender_of(entry: Entry) -> tuple[int, int]:
    """The place of the leg that left."""
    assert entry.kind in _ARRIVALS, entry
    assert entry.counterpart
    return entry.counterpart.bucket, entry.counterpart.seq or 0


def _parts(entry: Entry, source: AccountKind) -> dict[tuple[int, int], int]:
    """Points by lot that the clock moved from there. What then repays a debt comes on top."""
    moved = [posting for posting in entry.postings if posting.debit.kind is source]
    return {(p.lot.seq, p.lot.line): p.points for p in moved if p.credit.kind is not AccountKind.OWED}
