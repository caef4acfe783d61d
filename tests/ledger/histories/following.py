"""What the clock does by itself, taken into the model in the order in which the ledger did it."""

from __future__ import annotations

from services.ledger.domain.entry import AccountKind, Entry, EntryKind
from tests.ledger.histories.town import BUCKETS, InTown
from tests.ledger.model import Purse, seen

_ARRIVALS = (EntryKind.TRANSFER_IN, EntryKind.MERGE_IN)


class Following(InTown):
    """Reads each bucket's news once."""

    def _news(self, bucket: int) -> list[Entry]:
        """What was posted there since somebody asked last."""
        found = list(self.since(bucket, self.heads[bucket]))
        assert [entry.seq for entry in found] == [self.heads[bucket] + 1 + n for n in range(len(found))]
        self.heads[bucket] += len(found)
        return found

    def _in_order(self) -> list[Entry]:
        """All news: in each bucket as they were posted, and what left before what arrived."""
        queues = [self._news(bucket) for bucket in BUCKETS]
        gone = {(out.bucket, out.seq) for out in self.under_way}
        ordered: list[Entry] = []
        for _ in range(100):
            if not any(queues):
                return ordered
            for queue in queues:
                while queue and self._may_come(queue[0], gone):
                    ordered.append(queue.pop(0))
                    gone.add((ordered[-1].bucket, ordered[-1].seq))
            for queue, bucket in zip(queues, BUCKETS, strict=True):
                queue += self._news(bucket)
        raise AssertionError("something arrived that nobody sent")

    def _may_come(self, entry: Entry, gone: set[tuple[int, int]]) -> bool:
        """Whether it is somebody else's, or did not arrive before it left."""
        return entry.wallet not in self.wallets or entry.kind not in _ARRIVALS or _sender_of(entry) in gone

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
