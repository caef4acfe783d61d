"""Transfers: what is in transit arrives, whatever stands before it."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from services.ledger.domain.entry import Counterpart
from services.ledger.domain.wish import ArriveWish, MergeWish, TransferWish
from services.ledger.store import transfers as store
from services.ledger.store.transfers import Transfers
from services.ledger.store.writer import Posted
from shared.ids import derived
from tests.ledger.store.vault import GROCER, PATIENCE, Vault, award, wallet_in


def transfer(source: UUID, target: UUID, points: int = 10) -> TransferWish:
    to = Counterpart(target.int % 8, target)
    return TransferWish(bucket=source.int % 8, wallet=source, partner=GROCER, request_id=uuid4(), to=to, points=points)


def test_nobody_can_take_the_request_id_of_a_leg_that_arrives_beforehand(vault: Vault) -> None:
    source, target = wallet_in(2), wallet_in(5)
    head = vault.post(award(source))
    vault.post(award(target, request_id=derived("arrive", f"2-{head.seq + 1}")))
    moved = Transfers(vault.engine, vault.writer).post(transfer(source, target), PATIENCE)
    assert moved.departure.entry.seq == head.seq + 1
    assert moved.arrival is not None


def test_what_cannot_arrive_does_not_keep_others_in_transit(own_vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_PAGE", 1)
    source, stuck, free = wallet_in(2), wallet_in(5), wallet_in(6)
    own_vault.post(award(source))
    for target in (stuck, stuck, free):
        own_vault.post(transfer(source, target))  # the first leg only
    with own_vault.tampering() as connection:
        connection.execute("UPDATE ledger.heads SET frozen = true WHERE bucket = 5")
    Transfers(own_vault.engine, own_vault.writer).sweep(2)
    assert (own_vault.available(stuck), own_vault.available(free)) == (0, 10)


def test_a_repeat_in_the_batch_that_brings_a_merge_is_still_a_repeat(own_vault: Vault) -> None:
    source, target = wallet_in(2), wallet_in(5)
    first = own_vault.post(award(source, request_id=(id_ := uuid4())))
    to = Counterpart(5, target)
    out = own_vault.post(MergeWish(bucket=2, wallet=source, partner="operator", request_id=uuid4(), to=to))
    arrive = ArriveWish(bucket=5, wallet=target, partner="operator", request_id=uuid4(), out=out)
    answers = own_vault.writer.post_all([arrive, award(target, request_id=id_)], PATIENCE)
    assert answers[1] == Posted(first, replay=True)
    assert own_vault.available(target) == 100
