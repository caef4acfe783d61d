"""The servicer: each RPC reads like its own summary."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import grpc
from coalition.ledger.v1 import ledger_pb2 as pb
from coalition.ledger.v1 import ledger_pb2_grpc as rpc

from services.ledger.api import answers
from services.ledger.api.feed import Feed
from services.ledger.api.wishes import Wishes
from services.ledger.domain.entry import Place
from services.ledger.domain.refusals import EntryNotFound, HoldNotFound, TotalsOutOfRange
from services.ledger.domain.wish import AwardWish, Wish
from services.ledger.store.checkpoints import Checkpoints
from services.ledger.store.readers import Readers
from services.ledger.store.verifier import Verifier
from services.ledger.store.writer import Outcome, Posted, Writer
from shared.clock import Clock
from shared.credentials.grants import Grant, Scope
from shared.refusal import Refusal
from shared.rpc.batch import spoiled
from shared.rpc.call import call_id_of
from shared.rpc.caller import Caller, Role, caller
from shared.rpc.deadline import time_left
from shared.rpc.pages import open_page, page_size, query_fingerprint, seal_page
from shared.rpc.refusals import status_of
from shared.rpc.replay import mark_replay
from shared.verifying import Difference, Progress


class LedgerServicer(rpc.LedgerServiceServicer):
    """Translates, calls, translates. Which wallet comes from the grant, who acts from the credential."""

    def __init__(
        self,
        wishes: Wishes,
        writer: Writer,
        readers: Readers,
        checkpoints: Checkpoints,
        verifier: Verifier,
        feed: Feed,
        clock: Clock,
        page_key: bytes,
    ) -> None:
        self._wishes = wishes
        self._writer = writer
        self._readers = readers
        self._checkpoints = checkpoints
        self._verifier = verifier
        self._feed = feed
        self._clock = clock
        self._page_key = page_key

    def AwardPoints(self, request: pb.AwardPointsRequest, context: grpc.ServicerContext) -> pb.Entry:
        return self._posted(self._wishes.award(request, caller(context)), context)

    def BatchAwardPoints(
        self, request: pb.BatchAwardPointsRequest, context: grpc.ServicerContext
    ) -> pb.BatchAwardPointsResponse:
        by, bad = caller(context), spoiled(context)
        wished = [bad.get(index) or self._award_or_refusal(item, by) for index, item in enumerate(request.items)]
        wishes = [wish for wish in wished if isinstance(wish, AwardWish)]
        outcomes = iter(self._writer.post_all(wishes, time_left(context)))
        call_id = call_id_of(context)
        results = [_result(wish if isinstance(wish, Refusal) else next(outcomes), call_id) for wish in wished]
        return pb.BatchAwardPointsResponse(results=results)

    def HoldPoints(self, request: pb.HoldPointsRequest, context: grpc.ServicerContext) -> pb.Hold:
        posted = self._writer.post(self._wishes.hold(request, caller(context)), time_left(context))
        _tell_replay(posted, context)
        return answers.placed_hold_pb(posted.entry)

    def CaptureHold(self, request: pb.CaptureHoldRequest, context: grpc.ServicerContext) -> pb.Entry:
        return self._posted(self._wishes.capture(request, caller(context)), context)

    def ReleaseHold(self, request: pb.ReleaseHoldRequest, context: grpc.ServicerContext) -> pb.Entry:
        return self._posted(self._wishes.release(request, caller(context)), context)

    def RedeemPoints(self, request: pb.RedeemPointsRequest, context: grpc.ServicerContext) -> pb.Entry:
        return self._posted(self._wishes.redeem(request, caller(context)), context)

    def ReverseAward(self, request: pb.ReverseAwardRequest, context: grpc.ServicerContext) -> pb.Entry:
        return self._posted(self._wishes.reverse(request, caller(context)), context)

    def RefundRedemption(self, request: pb.RefundRedemptionRequest, context: grpc.ServicerContext) -> pb.Entry:
        return self._posted(self._wishes.refund(request, caller(context)), context)

    def GetBalance(self, request: pb.GetBalanceRequest, context: grpc.ServicerContext) -> pb.Balance:
        grant = self._wishes.grant(request.grant, Scope.AWARD, caller(context))
        balance = self._readers.balance(self._wishes.bucket(grant.wallet_id), grant.wallet_id)
        return answers.balance_pb(balance)

    def GetEntry(self, request: pb.GetEntryRequest, context: grpc.ServicerContext) -> pb.Entry:
        partner, place = self._wishes.own_entry(request.name, caller(context))
        entry = self._readers.entry(place)
        if entry is None or entry.partner != partner:
            raise EntryNotFound(entry=request.name)
        return answers.entry_pb(entry)

    def GetHold(self, request: pb.GetHoldRequest, context: grpc.ServicerContext) -> pb.Hold:
        partner, place = self._wishes.own_hold(request.name, caller(context))
        found = self._readers.hold(place)
        if found is None or found[0].partner != partner:
            raise HoldNotFound(hold=request.name)
        return answers.hold_pb(*found)

    def ListEntries(self, request: pb.ListEntriesRequest, context: grpc.ServicerContext) -> pb.ListEntriesResponse:
        by = caller(context)
        partner = request.parent.removeprefix("partners/")
        if by.role is Role.PARTNER and by.partner != partner:
            raise EntryNotFound(entry=f"{request.parent}/entries/-")
        size = page_size(request.page_size)
        grant = self._wishes.grant(request.grant, Scope.AWARD, by) if request.grant else None
        bound = _bound(request, by, grant)
        position = open_page(self._page_key, bound, request.page_token)
        after = Place(int(position[0]), int(position[1])) if position else Place(0, 0)
        if grant is not None:
            bucket = self._wishes.bucket(grant.wallet_id)
            found = self._readers.entries_of_wallet(bucket, grant.wallet_id, partner, after.seq, size + 1)
        else:
            found = self._readers.entries_of_partner(partner, after, size + 1)
        page, more = found[:size], len(found) > size
        token = seal_page(self._page_key, bound, page[-1].place) if more else ""
        return pb.ListEntriesResponse(entries=map(answers.entry_pb, page), next_page_token=token)

    def ReadJournal(self, request: pb.ReadJournalRequest, context: grpc.ServicerContext) -> pb.ReadJournalResponse:
        return self._feed.page(request, time_left(context), context.is_active)

    def TakeCheckpoint(self, request: pb.TakeCheckpointRequest, context: grpc.ServicerContext) -> pb.Checkpoint:
        checkpoint, again = self._checkpoints.taken(UUID(request.request_id), self._clock.now())
        if again:
            mark_replay(context)
        return answers.checkpoint_pb(checkpoint)

    def GetCheckpoint(self, request: pb.GetCheckpointRequest, context: grpc.ServicerContext) -> pb.Checkpoint:
        return answers.checkpoint_pb(self._checkpoints.found(request.name.removeprefix("checkpoints/")))

    def GetTotals(self, request: pb.GetTotalsRequest, context: grpc.ServicerContext) -> pb.Totals:
        count = sum(head.seq for head in self._readers.heads())
        try:
            return answers.totals_pb(self._readers.flows(), self._readers.outstanding(), count)
        except ValueError:  # protobuf takes 64 bits
            raise TotalsOutOfRange from None

    def VerifyJournal(
        self, request: pb.VerifyJournalRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.VerifyJournalResponse]:
        for event in self._verifier.run():
            match event:
                case Progress(entries, total):
                    yield pb.VerifyJournalResponse(progress=pb.VerifyProgress(entries=entries, total=total))
                case Difference(subject, name, detail):
                    difference = pb.Difference(subject=subject, name=name, detail=detail)
                    yield pb.VerifyJournalResponse(difference=difference)
                case _:
                    summary = pb.VerifySummary(
                        entries=event.entries,
                        wallets=event.wallets,
                        lots=event.lots,
                        checkpoints=event.checkpoints,
                    )
                    yield pb.VerifyJournalResponse(summary=summary)

    def _posted(self, wish: Wish, context: grpc.ServicerContext) -> pb.Entry:
        """Queued, applied, committed; a repeat gets the first answer."""
        posted = self._writer.post(wish, time_left(context))
        _tell_replay(posted, context)
        return answers.entry_pb(posted.entry)

    def _award_or_refusal(self, request: pb.AwardPointsRequest, by: Caller) -> AwardWish | Refusal:
        try:
            return self._wishes.award(request, by)
        except Refusal as refusal:
            return refusal


def _bound(request: pb.ListEntriesRequest, by: Caller, grant: Grant | None) -> bytes:
    """What a page token is bound to: the wallet rather than the grant, which may be a fresh one on the next page."""
    plain = pb.ListEntriesRequest(parent=request.parent)
    return query_fingerprint(f"ListEntries {grant.wallet_id if grant else ''}", by, plain)


def _tell_replay(posted: Posted, context: grpc.ServicerContext) -> None:
    if posted.replay:
        mark_replay(context)


def _result(outcome: Outcome, call_id: str) -> pb.AwardResult:
    if isinstance(outcome, Refusal):
        return pb.AwardResult(refusal=status_of(outcome, call_id))
    return pb.AwardResult(entry=answers.entry_pb(outcome.entry), replay=outcome.replay)
