"""Batches: one bad item must not spoil its neighbours, so what is wrong with an item is said about that item alone.

A request whose message is named `Batch...` or `Stream...` and has one list of messages is a batch of these. Rules that
the batch itself breaks (too many items, none) refuse the call; rules that an item breaks are kept for the servicer,
which answers the item with the refusal and does the others.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

import grpc
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from shared.rpc.call import CallContext
from shared.rpc.invalid import FieldViolation, InvalidRequest

_ITEM = re.compile(r"(\w+)\[(\d+)\](?:\.(.+))?")
_CROWD = 1_000
"""Elements of lists in one message, in all its depth, of which each may break several rules."""


def spoiled(context: grpc.ServicerContext) -> Mapping[int, InvalidRequest]:
    """The items of this call's batch that break rules, by their index, each with its refusal."""
    return context.spoiled if isinstance(context, CallContext) else {}


def items_field(message: Descriptor) -> str | None:
    """The list that makes a message a batch; None when it is none."""
    lists = [field.name for field in message.fields if field.is_repeated and field.message_type is not None]
    return lists[0] if message.name.startswith(("Batch", "Stream")) and len(lists) == 1 else None


def parted(violations: Iterable[FieldViolation], items: str) -> tuple[list[FieldViolation], dict[int, InvalidRequest]]:
    """What the batch itself breaks, and what its items break."""
    envelope: list[FieldViolation] = []
    by_item: dict[int, list[FieldViolation]] = defaultdict(list)
    for violation in violations:
        item = item_of(violation, items)
        if item is None:
            envelope.append(violation)
        else:
            by_item[item[0]].append(FieldViolation(item[1], violation.description, violation.rule))
    return envelope, {index: InvalidRequest(broken) for index, broken in by_item.items()}


def item_of(violation: FieldViolation, items: str) -> tuple[int, str] | None:
    """The index of the item that breaks the rule, and its field; None when it is the batch itself."""
    match = _ITEM.fullmatch(violation.field)
    return None if match is None or match[1] != items else (int(match[2]), match[3] or "")


def is_crowded(message: Message) -> bool:
    """Whether its lists hold more than anybody wants to read about. Looks no further than it must."""
    return _room(message, _CROWD) < 0


def _room(message: Message, room: int) -> int:
    """What is left of the room when the lists of the message are in it; below zero they were too many."""
    for field, value in message.ListFields():
        if field.is_repeated:
            room -= len(value)
        if field.message_type is None:
            continue
        for inner in value if field.is_repeated else (value,):
            if room < 0:
                return room
            room = _room(inner, room)
    return room
