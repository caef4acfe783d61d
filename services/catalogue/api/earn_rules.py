"""EarnRuleService: the operator publishes, everybody reads their own."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import grpc
from coalition.catalogue.v1 import catalogue_pb2 as pb
from coalition.catalogue.v1 import catalogue_pb2_grpc as rpc

from services.catalogue.api.partners import Partners
from services.catalogue.api.patience import Patience, patience
from services.catalogue.api.rulebook import RuleBook
from services.catalogue.api.wire import draft_of, partner_named, rules_pb
from services.catalogue.domain.meaning import meaning_of_rules
from services.catalogue.domain.refusals import EarnRulesNotFound, RequestIdReused, RulesNotAfterNewest
from services.catalogue.domain.rules import EarnRules, refused
from services.catalogue.store import rules as table
from shared.clock import Clock
from shared.db.errors import Contention
from shared.db.sessions import Sessions
from shared.rpc.caller import Caller, Role, caller
from shared.rpc.pages import open_page, page_size, query_fingerprint, seal_page
from shared.rpc.replay import mark_replay

_TRIES = 5
_CURRENT = "current"


class EarnRuleServicer(rpc.EarnRuleServiceServicer):
    """Versions of earn rules."""

    def __init__(
        self, sessions: Sessions, rulebook: RuleBook, partners: Partners, clock: Clock, page_key: bytes
    ) -> None:
        self._sessions = sessions
        self._rulebook = rulebook
        self._partners = partners
        self._clock = clock
        self._page_key = page_key

    def PublishEarnRules(self, request: pb.PublishEarnRulesRequest, context: grpc.ServicerContext) -> pb.EarnRules:
        draft = draft_of(partner_named(request.parent), request.earn_rules, self._clock.now())
        problem = refused(draft.partner, draft.rules)
        if problem:
            raise problem
        request_id, left = UUID(request.request_id), patience(context)
        if not self._known(draft.partner, request_id, left):  # a repeat is answered though identity be away
            self._partners.check(draft, left)
        published, replay = self._publish(draft, request_id, left)
        if replay:
            mark_replay(context)
        return rules_pb(published)

    def GetEarnRules(self, request: pb.GetEarnRulesRequest, context: grpc.ServicerContext) -> pb.EarnRules:
        _, partner, _, version = request.name.split("/")
        _check_own(caller(context), partner, request.name)
        if version == _CURRENT:
            return rules_pb(self._rulebook.at(partner, self._clock.now(), patience(context)))
        return rules_pb(self._rulebook.version(partner, int(version), patience(context)))

    def ListEarnRules(
        self, request: pb.ListEarnRulesRequest, context: grpc.ServicerContext
    ) -> pb.ListEarnRulesResponse:
        partner, who = partner_named(request.parent), caller(context)
        _check_own(who, partner, f"{request.parent}/earnRules")
        query = query_fingerprint("ListEarnRules", who, request)
        after = open_page(self._page_key, query, request.page_token) or (0,)
        size = page_size(request.page_size)
        with self._sessions.reading(patience(context)()) as connection:
            found = table.versions_after(connection, partner, int(after[0]), size + 1)
        page, more = found[:size], len(found) > size
        token = seal_page(self._page_key, query, (page[-1].version,)) if more else ""
        return pb.ListEarnRulesResponse(earn_rules=map(rules_pb, page), next_page_token=token)

    def _known(self, partner: str, request_id: UUID, left: Patience) -> bool:
        with self._sessions.reading(left()) as connection:
            return table.published_by(connection, partner, request_id) is not None

    def _publish(self, draft: EarnRules, request_id: UUID, left: Patience) -> tuple[EarnRules, bool]:
        """The version and whether it was there already. Numbers have no gaps: whoever finds his taken looks again."""
        request_hash = meaning_of_rules(draft)
        for _ in range(_TRIES):
            with self._sessions.writing(left()) as connection:
                before = table.published_by(connection, draft.partner, request_id)
                if before and before.request_hash != request_hash:
                    raise RequestIdReused(request_id=request_id, first=before.rules.name)
                if before:
                    return before.rules, True
                newest = table.newest(connection, draft.partner)
                if newest and draft.effective_from <= newest.effective_from:
                    raise _not_after(draft, newest)
                rules = replace(draft, version=newest.version + 1 if newest else 1)
                added = table.add(connection, rules, request_id, request_hash)
            if added:
                self._rulebook.forget(draft.partner)
                return rules, False
        raise Contention


def _check_own(who: Caller, partner: str, name: str) -> None:
    if who.role is Role.PARTNER and who.partner != partner:
        raise EarnRulesNotFound(earn_rules=name)


def _not_after(draft: EarnRules, newest: EarnRules) -> RulesNotAfterNewest:
    return RulesNotAfterNewest(
        newest=newest.name,
        newest_from=newest.effective_from.isoformat(),
        effective_from=draft.effective_from.isoformat(),
    )
