"""Settlement with something of everything: what bad messages can get at, and what the good ones among them name."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Final

import grpc
from coalition.settlement.v1 import batches_pb2, corrections_pb2, payments_pb2, reconciliation_pb2
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from services.sandbox.home import Home
from services.settlement.domain.duties import Duty
from shared.rpc.wire import date_pb
from tests.journeys.story import SECONDS, Story, fresh_id, version, yesterday
from tests.settlement.accounts import BANK, german
from tests.settlement.batches.wire import approve, set_cap
from tests.settlement.control.test_approvals import rates
from tests.settlement.reconciling.papers import Said, announcement, statement
from tests.support.platform import Partner, RunningPlatform

CLEARING: Final = german(1)
_PARENTS: Final = ("partners/operator", "batches/-", "windows/1")
_GUESSED: Final = frozenset(
    {"calendars/usual/versions/1", "models/usual/versions/1", "entries/1-1", "steps/SEND/1", BANK}
)
_ENOUGH: Final = 200
"""Texts of one list."""


def share_duties(home: Home) -> None:
    """Before the platform starts: a person for each duty, named after it, and the sandbox's two, who have all."""
    everything = [duty.value for duty in Duty]
    people = {person(duty): [duty.value] for duty in Duty} | {"local": everything, "colleague": everything}
    home.duties.write_text(json.dumps(people))


def person(duty: Duty) -> str:
    """The user who has this duty and no other."""
    return f"only-{duty.value.lower()}"


def set_up(platform: RunningPlatform) -> Partner:
    """Two partners, accounts, three windows, a batch that is paid, one that waits, a dispute; one of the partners."""
    story, operator = Story(platform), platform.operator
    for letter in ("A", "B"):
        story.join(letter, version(yesterday(platform), "USD", issuance="0.012", reimbursement="0.009"))
    owners = ("operator", story.partners["A"].id, story.partners["B"].id)
    for number, owner in enumerate(owners, start=1):
        _account(platform, owner, german(number), clearing=owner == "operator")
    set_cap(platform, story.partners["A"].id, 10**6)
    approve(platform, operator.reference.LoadFxSet(rates("day-one", USD="1.08"), timeout=SECONDS).proposal)
    platform.clock.move(timedelta(days=4))  # new accounts cool off
    for points in (50_000, 4_000, 500):
        story.award("A", points)
        story.redeem("B", points // 5)
        platform.close_window()
    paid, _waiting = (_batch(platform, f"windows/{number}") for number in (1, 2))
    sha256, name = paid.content_sha256, paid.name
    requested = batches_pb2.ApproveBatchRequest(name=name, request_id=fresh_id(), content_sha256=sha256)
    platform.colleague.batches.ApproveBatch(requested, timeout=SECONDS)
    released = batches_pb2.ReleaseBatchRequest(name=name, request_id=fresh_id(), content_sha256=sha256)
    operator.batches.ReleaseBatch(released, timeout=SECONDS)
    partner = story.partners["B"]
    dispute = corrections_pb2.Dispute(
        statement=f"{partner.name}/statements/3",
        line=1,
        points=-5,
        reason=corrections_pb2.DISPUTE_REASON_MISSING_AWARD,
        description="why",
    )
    request = corrections_pb2.OpenDisputeRequest(request_id=fresh_id(), dispute=dispute)
    partner.calls.corrections.OpenDispute(request, timeout=SECONDS)
    for content in papers(platform):
        imported = reconciliation_pb2.ImportBankFileRequest(request_id=fresh_id(), file_name="a", content=content)
        operator.reconciliation.ImportBankFile(imported, timeout=SECONDS)
    return partner


def papers(platform: RunningPlatform) -> Iterator[bytes]:
    """What the bank may say of the clearing account: a line that nobody expects, and the first words about it."""
    day = platform.clock.now().date()
    yield announcement(CLEARING, day, [Said(7_00, reference="RF18539007547034", currency="USD")])
    yield statement(CLEARING, day, [Said(5_00, reference="nobody's", currency="USD")], currency="USD")


def found(platform: RunningPlatform, methods: Mapping[str, MethodDescriptor], partner: Partner) -> set[str | bytes]:
    """Names and digests of whatever there is, as the lists say it now, and such as no list goes to."""
    line, seen = (
        platform.operator.channel("settlement"),
        set[str | bytes](_GUESSED) | {partner.name, partner.id, f"{partner.name}/position"},
    )
    for name, method in methods.items():
        if not method.name.startswith("List"):
            continue
        requests = [GetMessageClass(method.input_type)()]
        if "parent" in method.input_type.fields_by_name:
            requests = [GetMessageClass(method.input_type)(parent=one) for one in (*_PARENTS, partner.name)]
        answer = GetMessageClass(method.output_type)
        for request in requests:
            with suppress(grpc.RpcError):  # not every parent is one of this list's
                call = line.unary_unary(name, type(request).SerializeToString, answer.FromString)
                seen |= set(itertools.islice(texts_in(call(request, timeout=SECONDS)), _ENOUGH))
    names = [one for one in seen if isinstance(one, str) and one[-1:].isdigit() and "/" in one]
    return seen | {re.sub(r"\d+$", "9" * digits, one) for one in names for digits in (5, 9, 18)}


def _batch(platform: RunningPlatform, window: str) -> batches_pb2.Batch:
    stub = platform.operator.batches
    created = stub.CreateBatch(
        batches_pb2.CreateBatchRequest(
            request_id=fresh_id(), windows=[window], due_date=date_pb(platform.clock.now().date())
        ),
        timeout=SECONDS,
    )
    calculated = batches_pb2.CalculateBatchRequest(name=created.name, request_id=fresh_id(), submit=True)
    return stub.CalculateBatch(calculated, timeout=SECONDS)


def _account(platform: RunningPlatform, owner: str, iban: str, *, clearing: bool) -> None:
    account = payments_pb2.BankAccount(clearing=clearing, currency="USD", holder=f"The {owner}", iban=iban, bic=BANK)
    request = payments_pb2.AddBankAccountRequest(
        parent=f"partners/{owner}", request_id=fresh_id(), bank_account=account
    )
    entered = platform.operator.bank_accounts.AddBankAccount(request, timeout=SECONDS)
    platform.approve(entered.proposal)
    verify = payments_pb2.VerifyBankAccountRequest(
        name=entered.name, request_id=fresh_id(), channel=payments_pb2.VERIFICATION_CHANNEL_PHONE, note="called back"
    )
    platform.colleague.bank_accounts.VerifyBankAccount(verify, timeout=SECONDS)


def texts_in(message: Message) -> Iterator[str | bytes]:
    """All texts and short bytes that a message holds."""
    for field, value in message.ListFields():
        for one in value if field.is_repeated and not hasattr(value, "keys") else [value]:
            if isinstance(one, Message):
                yield from texts_in(one)
            elif isinstance(one, str) or (isinstance(one, bytes) and len(one) <= 64):
                yield one
