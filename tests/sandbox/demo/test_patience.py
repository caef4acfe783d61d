"""Waiting helps where a repeat may be answered differently, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from google.protobuf.any_pb2 import Any
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from services.sandbox.demo.patience import Patience
from services.sandbox.demo.refusals import DemoStopped, ServiceGone
from shared.refusal import Kind
from shared.rpc.channel import RemoteRefusal
from shared.rpc.remote import refusal_in

AWAY = RemoteRefusal(Kind.DOWN, "SERVICE_UNAVAILABLE", "A service that this call needs is away right now.", {})
SHORT = RemoteRefusal(Kind.NOT_NOW, "INSUFFICIENT_POINTS", "Wallet has 5 points free, 100 were asked for.", {})
READING = RemoteRefusal(Kind.NOT_NOW, "WINDOW_WAITS", "The window waits for INGEST.", {"waitsFor": "INGEST"})


def answering(*answers: RemoteRefusal | str) -> Callable[[], str]:
    """Gives one answer after the other."""
    left = iter(answers)

    def ask() -> str:
        answer = next(left)
        if isinstance(answer, RemoteRefusal):
            raise answer
        return answer

    return ask


@pytest.mark.parametrize("refusal", [AWAY, READING])
def test_what_may_be_repeated_is_repeated_until_it_is_answered(refusal: RemoteRefusal) -> None:
    said: list[str] = []
    assert Patience(said.append).until_answered(answering(refusal, refusal, "done")) == "done"
    told = ["away right now. Waiting up to 60 s: `coalition up` in another terminal helps.", "It goes on."]
    assert [line.removeprefix("A service that this call needs is ") for line in said] == (
        told if refusal is AWAY else []
    )


def test_a_no_is_a_no() -> None:
    with pytest.raises(RemoteRefusal) as refused:
        Patience(print).until_answered(answering(SHORT, "never asked again"))
    assert refused.value.reason == "INSUFFICIENT_POINTS"


def test_a_service_that_stays_away_ends_the_demo_in_one_line_that_says_what_to_do() -> None:
    with pytest.raises(ServiceGone) as gone:
        Patience(print, give_up_seconds=0).until_answered(answering(AWAY, AWAY, AWAY, "too late"))
    assert "\n" not in f"{gone.value} {gone.value.advice}"
    assert "`coalition up`" in gone.value.advice


def test_whoever_was_stopped_asks_nothing_any_more() -> None:
    patience = Patience(print)
    patience.stop()
    with pytest.raises(DemoStopped):
        patience.until_answered(answering("never asked"))


def test_the_refusal_of_an_item_keeps_its_kind_and_reason() -> None:
    info = Any()
    info.Pack(ErrorInfo(reason="RECEIPT_ALREADY_USED", domain="coalition", metadata={"entry": "7-12"}))
    refusal = refusal_in(Status(code=6, message="The receipt was used.", details=[info]))
    assert (refusal.kind, refusal.reason, str(refusal)) == (
        Kind.ALREADY,
        "RECEIPT_ALREADY_USED",
        "The receipt was used.",
    )
    assert refusal.metadata == {"entry": "7-12"}
