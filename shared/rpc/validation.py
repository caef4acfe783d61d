"""The last step before a servicer: bytes become a message, and the message keeps the rules of its contract.

gRPC would decode before any of our code runs and answer INTERNAL to what it cannot decode. So servers take bytes, and
decoding happens here: after the caller is known, within a size that the method allows, and with a proper refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import protovalidate
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError, Message

from shared.rpc.batch import is_crowded, item_of, items_field, parted
from shared.rpc.call import CallContext
from shared.rpc.invalid import FieldViolation, InvalidRequest, MessageTooLarge, MessageUndecodable
from shared.rpc.limits import Limits

Deserialize = Callable[[bytes], Message]
Decode = Callable[[bytes, CallContext], Message]


class Validation:
    """Decodes and checks the requests of one server."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def decoder(self, method: str, deserialize: Deserialize) -> Decode:
        """What turns the bytes of one method's requests into messages that are known to be valid.

        Of a batch the items that are not are noted in the call: see `shared.rpc.batch`.
        """
        limit = self._limits.bytes_for(method)
        items = items_field(_request_type(method))

        def decode(content: bytes, call: CallContext) -> Message:
            if len(content) > limit:
                raise MessageTooLarge(size=len(content), method=method, limit=limit)
            try:
                message = deserialize(content)
            except (DecodeError, ValueError):
                raise MessageUndecodable(type=_request_type(method).full_name) from None
            violations = violations_of(message, items)
            if items is not None:  # of a stream, each message anew
                violations, call.spoiled = parted(violations, items)
            if violations:
                raise InvalidRequest(violations)
            return message

        return decode


def violations_of(message: Message, items: str | None = None) -> list[FieldViolation]:
    """The rules that the message breaks. Of a crowded one the first; of a crowded batch of `items`, each item's first.

    A few bytes can break a rule, and to tell of it takes kilobytes: without an end to it a message of 64 KiB would keep
    the server busy for seconds, and one of 4 MiB would take all memory.
    """
    first = _found(message, fail_fast=True)
    if not first:
        return []
    if not is_crowded(message):
        return _found(message)
    if items is None or item_of(first[0], items) is None:
        return first[:1]
    bare = message.__class__()
    bare.CopyFrom(message)
    bare.ClearField(items)
    beside = [violation for violation in _found(bare) if violation.field not in ("", items)]
    return beside + [
        FieldViolation(f"{items}[{index}].{violation.field}".removesuffix("."), violation.description, violation.rule)
        for index, item in enumerate(getattr(message, items))
        for violation in _found(item, fail_fast=True)[:1]
    ]


def _found(message: Message, *, fail_fast: bool = False) -> list[FieldViolation]:
    try:
        found = protovalidate.collect_violations(message, fail_fast=fail_fast)
    except protovalidate.EvaluationError as error:
        return [FieldViolation("", f"a rule could not be applied: {error}", "evaluation")]
    return [_violation(one) for one in found]


def compile_rules(service_names: Iterable[str]) -> None:
    """Compile the rules of all requests now: a rule that does not compile must stop the start, not a call."""
    pool = descriptor_pool.Default()
    for name in service_names:
        for method in pool.FindServiceByName(name).methods:
            violations_of(message_factory.GetMessageClass(method.input_type)())


def _violation(found: protovalidate.Violation) -> FieldViolation:
    said = found.proto
    path = "".join(map(_element, said.field.elements)) if said.field else ""
    return FieldViolation(path.removeprefix("."), said.message or said.rule_id, said.rule_id)


def _element(element: protovalidate.FieldPathElementPb) -> str:
    subscript = element.subscript
    if subscript is None:
        return f".{element.field_name}"
    key = subscript.value
    return f".{element.field_name}[{key!r}]" if isinstance(key, str) else f".{element.field_name}[{key}]"


def _request_type(method: str) -> Descriptor:
    service, _, name = method.lstrip("/").partition("/")
    return descriptor_pool.Default().FindServiceByName(service).methods_by_name[name].input_type
