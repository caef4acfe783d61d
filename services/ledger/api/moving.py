"""The RPCs between two wallets: transfers and merges."""

from __future__ import annotations

from dataclasses import replace

import grpc
from coalition.ledger.v1 import ledger_pb2 as pb

from services.ledger.api import answers
from services.ledger.api.wishes import Wishes
from services.ledger.domain.refusals.moves import WalletMerged
from services.ledger.domain.wish import MergeWish, TransferWish
from services.ledger.store.transfers import Transfers
from shared.rpc.caller import caller
from shared.rpc.deadline import time_left
from shared.rpc.replay import mark_replay


class Moving:
    """Both wallets come from grants."""

    _wishes: Wishes
    _transfers: Transfers

    def TransferPoints(self, request: pb.TransferPointsRequest, context: grpc.ServicerContext) -> pb.Transfer:
        return self._moved(self._wishes.transfer(request, caller(context)), context)

    def MergeWallets(self, request: pb.MergeWalletsRequest, context: grpc.ServicerContext) -> pb.Transfer:
        wish = self._wishes.merge(request, caller(context))
        if self._transfers.merged_into(wish.to.bucket, wish.to.wallet) is not None:
            self._must_be_a_repeat(wish, context)
        return self._moved(wish, context)

    def _must_be_a_repeat(self, wish: MergeWish, context: grpc.ServicerContext) -> None:
        """A merged wallet takes no more; but a merge that was done before it was merged itself is answered again."""
        tried = self._transfers.post(replace(wish, dry=True), time_left(context))
        if not tried.departure.replay:
            raise WalletMerged

    def _moved(self, wish: TransferWish | MergeWish, context: grpc.ServicerContext) -> pb.Transfer:
        moved = self._transfers.post(wish, time_left(context))
        if moved.departure.replay:
            mark_replay(context)
        return answers.transfer_pb(moved, dry=wish.dry)
