"""Wishes to become a member: from the wire, and back to the one who asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from coalition.identity.v1 import identity_pb2 as pb

from services.identity.api.pairwise import PairwiseNames
from services.identity.api.texts import legible
from services.identity.api.views import TYPES, for_operator, for_partner
from services.identity.domain.identifiers import Identifier, chosen_identifier
from services.identity.domain.members import CodeSeedNotAllowed, Enrolled, Wish
from services.identity.domain.misses import MissBudget
from services.identity.domain.partners import OPERATOR
from services.identity.domain.telling import Plainly, Telling, WithinBudget
from services.identity.store.enrolments import Enrolments
from shared.refusal import Refusal
from shared.rpc.caller import Caller


class Enrolling:
    """Enrols many as it enrols one."""

    def __init__(self, enrolments: Enrolments, pairwise: PairwiseNames, budget: MissBudget) -> None:
        """`budget` is the one that resolving counts on too: who guesses gets no second one by another call."""
        self._enrolments = enrolments
        self._pairwise = pairwise
        self._budget = budget

    def answers(
        self,
        items: Sequence[pb.EnrolMemberRequest],
        spoiled: Mapping[int, Refusal],
        by: Caller,
        at: datetime,
        within: float,
    ) -> list[Enrolled | Refusal]:
        """One answer for each item, in their order; what cannot even be understood does not reach the store."""
        wishes = [spoiled.get(place) or _wish_of(item, by) for place, item in enumerate(items)]
        understood = [wish for wish in wishes if isinstance(wish, Wish)]
        # Request ids belong to a partner, or to the operator as one: a colleague may repeat what somebody began.
        owner, telling = by.partner or OPERATOR, self._telling(by, at)
        enrolled = iter(self._enrolments.enrol(understood, owner, telling, at, within) if understood else ())
        return [next(enrolled) if isinstance(wish, Wish) else wish for wish in wishes]

    def view(self, enrolled: Enrolled, by: Caller) -> pb.Member:
        """The new member: whole for the operator, under its pairwise name and with its number for a partner."""
        if by.partner is None:
            return for_operator(enrolled.member, enrolled.personal, enrolled.code_seed)
        name = self._pairwise.of(enrolled.member.member_id, by.partner)
        return for_partner(enrolled.member, name, enrolled.personal.number)

    def _telling(self, by: Caller, at: datetime) -> Telling:
        return Plainly() if by.partner is None else WithinBudget(self._budget, by.partner, at)


def _wish_of(item: pb.EnrolMemberRequest, by: Caller) -> Wish | Refusal:
    if item.with_code_seed and by.partner is not None:
        return CodeSeedNotAllowed()
    identifiers: list[Identifier] = []
    for place, shown in enumerate(item.identifiers):
        found = chosen_identifier(TYPES[shown.type], shown.value, f"identifiers[{place}].value")
        if isinstance(found, Refusal):
            return found
        if found not in identifiers:
            identifiers.append(found)
    try:
        return Wish(
            request_id=UUID(item.request_id),
            identifiers=tuple(identifiers),
            terms_version=legible(item.terms_version, "terms_version"),
            full_name=legible(item.profile.full_name, "profile.full_name"),
            with_code_seed=item.with_code_seed,
        )
    except Refusal as refusal:
        return refusal
