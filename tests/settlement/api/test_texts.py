"""What settlement's contracts refuse before anything is asked of a database: found by `make fuzz` as faults of ours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from coalition.settlement.v1 import corrections_pb2, settlement_pb2
from google.api.field_behavior_pb2 import IDENTIFIER, OUTPUT_ONLY, field_behavior
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from services.settlement.main import CONTRACTS
from shared.rpc.validation import violations_of

SEALED = "page_token"
"""Opened by us or not at all; it never reaches a database."""

BEGINNINGS = ("", "a", "steps/SEND/1")


def requests() -> Iterator[Descriptor]:
    services = [service for file in CONTRACTS for service in file.DESCRIPTOR.services_by_name.values()]
    yield from {method.input_type for service in services for method in service.methods}


def texts(kind: Descriptor, seen: frozenset[Descriptor] = frozenset()) -> Iterator[FieldDescriptor]:
    """The texts that a caller says, in all depth of our own messages."""
    for field in kind.fields:
        behaviour: list[int] = field.GetOptions().Extensions[field_behavior]  # type: ignore[index]  # its stub says Never
        if {IDENTIFIER, OUTPUT_ONLY} & set(behaviour):
            continue
        inner = field.message_type
        if inner is None:
            if field.type == FieldDescriptor.TYPE_STRING and field.name != SEALED:
                yield field
        elif inner not in seen and inner.full_name.startswith("coalition.") and not inner.GetOptions().map_entry:
            yield from texts(inner, seen | {kind})


def test_no_text_holds_the_character_that_postgresql_cannot_store() -> None:
    said = {field for request in requests() for field in texts(request)}
    assert len(said) > 50
    assert [field.full_name for field in said for begin in BEGINNINGS if not refuses(field, f"{begin}\0")] == []


def refuses(field: FieldDescriptor, text: str) -> bool:
    """Whether a message with this text breaks a rule of the field."""
    assert field.containing_type is not None
    message = GetMessageClass(field.containing_type)()
    if field.is_repeated:
        getattr(message, field.name).append(text)
    else:
        setattr(message, field.name, text)
    return any(one.partition("[")[0] == field.name for one in broken(message))


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (corrections_pb2.Adjustment(points=0), "adjustment.points"),
        (corrections_pb2.Adjustment(amount_minor=0), "adjustment.amount_minor"),
        (corrections_pb2.Adjustment(), "adjustment.quantity"),
    ],
)
def test_an_adjustment_of_nothing_is_none(message: corrections_pb2.Adjustment, field: str) -> None:
    assert field in broken(corrections_pb2.ProposeAdjustmentRequest(adjustment=message))


def test_whoever_bears_what_a_partner_does_not_pay_has_a_name() -> None:
    for nobody in (settlement_pb2.LOSS_BEARER_UNSPECIFIED, 99):
        version = settlement_pb2.ContractVersion(default_order=["LOSS_BEARER_OPERATOR"])
        version.default_order.append(nobody)  # type: ignore[arg-type]  # that is the point
        request = settlement_pb2.PublishContractVersionRequest(contract_version=version)
        assert "contract_version.default_order[1]" in broken(request)


def broken(message: Message) -> set[str]:
    """The fields of a request that break a rule."""
    return {violation.field for violation in violations_of(message)}
