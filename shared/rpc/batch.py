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

from shared.rpc.call import CallContext
from shared.rpc.invalid import FieldViolation, InvalidRequest

_ITEM = re.compile(r"(\w+)\[(\d+)\](?:\.(.+))?")


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
        match = _ITEM.fullmatch(violation.field)
        if match is None or match[1] != items:
            envelope.append(violation)
        else:
            by_item[int(match[2])].append(FieldViolation(match[3] or "", violation.description, violation.rule))
    return envelope, {index: InvalidRequest(broken) for index, broken in by_item.items()}
