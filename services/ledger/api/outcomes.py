"""Outcomes on their way between processes of one ledger: an entry stays the entry, a refusal the refusal it was."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from coalition.ledger.v1 import peers_pb2 as pb

from services.ledger.domain.chain import canonical
from services.ledger.domain.reading import entry_from
from services.ledger.store.writer import Outcome, Posted
from shared.refusal import Refusal, reason_of
from shared.rpc.refusals import status_of
from shared.rpc.remote import RemoteRefusal, refusal_in

_OURS: Final = ("services.ledger.", "shared.")
_HUMP: Final = re.compile(r"(?=[A-Z])")


def outcome_pb(outcome: Outcome, call_id: str) -> pb.PostOutcome:
    if isinstance(outcome, Posted):
        entry = outcome.entry
        return pb.PostOutcome(posted=pb.PostedEntry(canonical=canonical(entry), hash=entry.hash, replay=outcome.replay))
    return pb.PostOutcome(refusal=status_of(outcome, call_id))


def outcome_from(answer: pb.PostOutcome) -> Outcome:
    """The outcome. Raises NotAnEntry for what only a newer process can read."""
    if answer.HasField("posted"):
        posted = answer.posted
        return Posted(entry_from(posted.canonical, posted.hash), posted.replay)
    return _known(refusal_in(answer.refusal))


def _known(refusal: RemoteRefusal) -> Refusal:
    """The refusal as it was before it travelled, so that our own code knows it; as it came when it is none of ours."""
    kind = _classes().get(refusal.reason)
    if kind is None:
        return refusal
    try:
        return kind(**{_HUMP.sub("_", name).lower(): _fact(text) for name, text in refusal.metadata.items()})
    except (KeyError, IndexError, ValueError):  # a fact is missing, or not what the sentence formats
        return refusal


def _fact(text: str) -> object:
    return int(text) if re.fullmatch(r"0|-?[1-9][0-9]{0,18}", text) else text


@cache
def _classes() -> dict[str, type[Refusal]]:
    found: dict[str, type[Refusal]] = {}
    waiting = [Refusal]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__init__ is Refusal.__init__ and kind is not Refusal and kind.__module__.startswith(_OURS):
            found[reason_of(kind)] = kind
    return found
