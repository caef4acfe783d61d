"""What has to be known before a batch can be decided, as far as its wishes tell by themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.ledger.domain.entry import EntryKind, Place, Unit
from services.ledger.domain.programme import Programme
from services.ledger.domain.wallet import Wallet
from services.ledger.domain.wish import (
    AdjustWish,
    ArriveWish,
    AwardWish,
    EntryWish,
    HoldWish,
    MergeWish,
    RedeemWish,
    ReverseWish,
    TendWish,
    TransferWish,
    WalletWish,
    Wish,
)
from services.ledger.store.writer.working_set import WalletKey


@dataclass(slots=True)
class Needs:
    """`wallets`: those whose balances are needed, which is all an award asks for. `spending`: points that a wallet is
    to give of a unit, all wishes together. `whole`: wallets of which every lot may matter. `heavy`: those that more
    happens to than that they are awarded to or spent from."""

    wallets: dict[WalletKey, Wallet] = field(default_factory=dict)
    spending: dict[tuple[WalletKey, Unit], int] = field(default_factory=lambda: defaultdict(int))
    whole: set[WalletKey] = field(default_factory=set)
    heavy: set[WalletKey] = field(default_factory=set)
    originals: dict[Place, None] = field(default_factory=dict)
    reversed: set[Place] = field(default_factory=set)
    senders: set[WalletKey] = field(default_factory=set)


def needs_of(wishes: Sequence[Wish], programme: Programme) -> Needs:
    """Where lots have no fixed order of their own, whoever spends one has to see them all."""
    needs = Needs()
    in_order = not programme.oldest_first and programme.idle_days is None
    for wish in wishes:
        if isinstance(wish, WalletWish):
            key = wish.wallet.int
            if key not in needs.wallets:
                needs.wallets[key] = Wallet(wish.bucket, wish.wallet)
            if not isinstance(wish, AwardWish):
                _add(needs, key, wish, in_order=in_order)
        elif isinstance(wish, EntryWish):
            needs.originals[wish.place] = None
            if isinstance(wish, ReverseWish):
                needs.reversed.add(wish.place)
    return needs


def _add(needs: Needs, key: WalletKey, wish: WalletWish, *, in_order: bool) -> None:
    if not isinstance(wish, HoldWish | RedeemWish):
        needs.heavy.add(key)
    if isinstance(wish, TransferWish):
        needs.senders.add(key)
    match wish:
        case HoldWish() | RedeemWish() | TransferWish() if in_order:
            needs.spending[key, wish.unit] += wish.points
        case HoldWish() | RedeemWish() | TransferWish() | MergeWish() | TendWish() | AdjustWish(taking=True):
            needs.whole.add(key)
        case ArriveWish() if wish.out.kind is EntryKind.MERGE_OUT:
            needs.whole.add(key)
        case _:
            pass
