"""The RPCs that ask without changing: balances, entries, holds, histories, sums."""

from __future__ import annotations

import grpc
from coalition.ledger.v1 import ledger_pb2 as pb

from services.ledger.api import answers
from services.ledger.api.wishes import Wishes
from services.ledger.domain.entry import EntryKind, Place
from services.ledger.domain.programme import Programme
from services.ledger.domain.refusals.entries import EntryNotFound
from services.ledger.domain.refusals.holds import HoldNotFound
from services.ledger.domain.refusals.journal import TotalsOutOfRange
from services.ledger.store.balances import Balances
from services.ledger.store.history import Filter, History, Reached, reached
from services.ledger.store.readers import Readers
from shared.clock import Clock
from shared.credentials.grants import Grant, Scope
from shared.instants import micros
from shared.rpc import wire
from shared.rpc.caller import Caller, Role, caller
from shared.rpc.pages import open_page, page_size, query_fingerprint, seal_page


class Questions:
    """A partner sees its own; a wallet is named by a grant."""

    _wishes: Wishes
    _readers: Readers
    _balances: Balances
    _history: History
    _programme: Programme
    _clock: Clock
    _page_key: bytes

    def GetBalance(self, request: pb.GetBalanceRequest, context: grpc.ServicerContext) -> pb.Balance:
        wallet = self._wishes.grant(request.grant, Scope.AWARD, caller(context)).wallet_id
        bucket = self._wishes.bucket(wallet)
        if request.HasField("as_of"):
            return answers.balances_pb(self._balances.as_of(bucket, wallet, self._wishes.as_of(request.as_of)))
        return answers.balances_pb(self._balances.now(bucket, wallet))

    def GetExpirySchedule(
        self, request: pb.GetExpiryScheduleRequest, context: grpc.ServicerContext
    ) -> pb.ExpirySchedule:
        wallet = self._wishes.grant(request.grant, Scope.AWARD, caller(context)).wallet_id
        now = self._programme.moment(self._clock.now())
        return answers.expiry_schedule_pb(self._balances.expiry_dates(self._wishes.bucket(wallet), wallet, now))

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
        by, partner = caller(context), request.parent.removeprefix("partners/")
        if by.role is Role.PARTNER and by.partner != partner:
            raise EntryNotFound(entry=f"{request.parent}/entries/-")
        size, wanted = page_size(request.page_size), _filter(request)
        grant = self._wishes.grant(request.grant, Scope.AWARD, by) if request.grant else None
        bound = _bound(request, by, grant)
        position = [int(part) for part in open_page(self._page_key, bound, request.page_token) or (0, 0)]
        if grant is not None:
            bucket = self._wishes.bucket(grant.wallet_id)
            found = self._history.of_wallet(bucket, grant.wallet_id, partner, wanted, Reached(*position), size + 1)
        else:
            found = self._history.of_partner(partner, wanted, Place(*position), size + 1)
        page, more = found[:size], len(found) > size
        last = (reached(page[-1]) if grant is not None else page[-1].place) if more else ()
        token = seal_page(self._page_key, bound, last) if more else ""
        return pb.ListEntriesResponse(entries=map(answers.entry_pb, page), next_page_token=token)

    def GetTotals(self, request: pb.GetTotalsRequest, context: grpc.ServicerContext) -> pb.Totals:
        count = sum(head.seq for head in self._readers.heads())
        try:
            return answers.totals_pb(self._readers.flows(), self._readers.outstanding(), count)
        except ValueError:  # protobuf takes 64 bits
            raise TotalsOutOfRange from None


def _filter(request: pb.ListEntriesRequest) -> Filter:
    wanted = Filter(frozenset(EntryKind(kind) for kind in request.kinds))
    from_, before = wanted.from_, wanted.before
    if request.HasField("posted_from"):
        from_ = max(from_, micros(wire.instant(request.posted_from, "posted_from")))
    if request.HasField("posted_before"):
        before = min(before, micros(wire.instant(request.posted_before, "posted_before")))
    return Filter(wanted.kinds, from_, before)


def _bound(request: pb.ListEntriesRequest, by: Caller, grant: Grant | None) -> bytes:
    """What a page token is bound to: the wallet rather than the grant, which may be a fresh one on the next page."""
    plain = pb.ListEntriesRequest()
    plain.CopyFrom(request)
    plain.ClearField("grant")
    return query_fingerprint(f"ListEntries {grant.wallet_id if grant else ''}", by, plain)
