"""One batch's reading: what it is for, what was found, and what is to be asked next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from services.ledger.domain.entry import EntryKind, Place
from services.ledger.domain.moment import Moment
from services.ledger.domain.programme import Programme
from services.ledger.domain.wallet import Wallet
from services.ledger.domain.wish import ArriveWish, AwardWish, EntryWish, WalletWish, Wish
from services.ledger.store.writer.loading.agenda import Agenda, News
from services.ledger.store.writer.needs import needs_of
from services.ledger.store.writer.working_set import WalletKey, WorkingSet


class Reading:
    """`known` are places of requests that are in memory; `probe`: look all others up as well.

    `held` are our stripes and their epochs. `merged` are, for each wallet, those that went into it directly.
    """

    def __init__(
        self,
        wishes: Sequence[Wish],
        now: Moment,
        programme: Programme,
        bucket_count: int,
        held: Mapping[int, int],
        known: Mapping[int, Place],
        *,
        probe: bool,
    ) -> None:
        self.wishes = wishes
        self.now = now
        self.programme = programme
        self.bucket_count = bucket_count
        self.held = held
        self.probe = probe
        self.needs = needs = needs_of(wishes, programme)
        self.found = WorkingSet(wallets=needs.wallets)
        self.merged: dict[WalletKey, list[WalletKey]] = {}
        self.about: dict[Place, list[EntryWish]] = defaultdict(list)
        looked_up = wishes if probe else [wish for wish in wishes if wish.dry]
        self.agenda = Agenda(
            heads=News(sorted({wish.bucket for wish in wishes})),
            rows=News(needs.wallets),
            spending=News(needs.spending),
            whole=News(needs.whole),
            senders=News(needs.senders if programme.transfer_points_a_day else ()),
            originals=News(needs.originals),
            requests=News((w.wallet.int, w.request_id.int) for w in looked_up if isinstance(w, WalletWish)),
            receipts=News(
                sorted({(w.partner, w.receipt) for w in looked_up if isinstance(w, AwardWish) and w.receipt})
            ),
        )
        for wish in wishes:
            if (place := known.get(wish.request_id.int)) is not None:
                self.agenda.repeats.add(place)  # of this wallet, or of another one: an id means something in each
            if isinstance(wish, EntryWish):
                self.about[wish.place].append(wish)
            elif isinstance(wish, ArriveWish) and wish.out.kind is EntryKind.MERGE_OUT:
                self._expect_alias(wish)

    def wallets(self, news: News[WalletKey]) -> list[Wallet]:
        """The wallets that are to be asked about now."""
        return [self.found.wallets[key] for key in news.taken()]

    def _expect_alias(self, wish: ArriveWish) -> None:
        """What was asked of a wallet counts in the survivor from the very batch on that brings it there."""
        survivor, other = wish.wallet.int, wish.out.wallet.int
        self.merged.setdefault(survivor, []).append(other)
        self.agenda.aliases.add(survivor)
        self.agenda.aliases.add(other)
