"""Signed heads: once for each request, for ever, whoever asks at the same time."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from services.ledger.domain.checkpoint import bucket_leaves, heads_root
from services.ledger.domain.refusals.buckets import BucketCountChanged
from services.ledger.domain.refusals.checkpoints import CheckpointNotFound
from services.ledger.store.deployment import prepare
from shared.merkle import leaf_hash, root
from tests.ledger.store.vault import BUCKETS, Vault, award, wallet_in
from tests.support.together import at_once


def test_a_checkpoint_holds_all_heads_as_they_are(own_vault: Vault) -> None:
    for bucket in (1, 1, 4):
        own_vault.post(award(wallet_in(bucket)))
    checkpoint, again = own_vault.checkpoints.taken(uuid4(), own_vault.clock.now())
    assert not again
    assert list(checkpoint.heads) == own_vault.readers.heads()
    assert (checkpoint.number, checkpoint.entry_count) == (1, 3)
    assert checkpoint.root == heads_root(checkpoint.heads)
    assert own_vault.check().checkpoints == 1


def test_the_same_request_gets_the_same_checkpoint(own_vault: Vault) -> None:
    id_ = uuid4()
    first, _ = own_vault.checkpoints.taken(id_, own_vault.clock.now())
    own_vault.post(award(wallet_in(1)))
    own_vault.clock.pass_by(hours=1)
    assert own_vault.checkpoints.taken(id_, own_vault.clock.now()) == (first, True)


def test_a_checkpoint_is_found_by_number_and_the_latest_by_its_name(own_vault: Vault) -> None:
    taken = [own_vault.checkpoints.taken(uuid4(), own_vault.clock.now())[0] for _ in range(3)]
    assert own_vault.checkpoints.found("2") == taken[1]
    assert own_vault.checkpoints.found("latest") == taken[2]
    for missing in ("0", "4"):
        with pytest.raises(CheckpointNotFound):
            own_vault.checkpoints.found(missing)


def test_checkpoints_taken_at_once_get_a_number_each(own_vault: Vault) -> None:
    ids = [uuid4() for _ in range(3)]
    acts = [partial(own_vault.checkpoints.taken, id_, own_vault.clock.now()) for id_ in ids + ids]
    taken = [checkpoint for checkpoint, _ in at_once(acts)]
    assert sorted({checkpoint.number for checkpoint in taken}) == [1, 2, 3]
    assert taken[:3] == taken[3:]
    assert own_vault.check().checkpoints == 3


def test_no_checkpoint_is_behind_the_one_before_whoever_takes_them_while_tills_go_on(own_vault: Vault) -> None:
    def take() -> None:
        own_vault.checkpoints.taken(uuid4(), own_vault.clock.now())

    def post() -> None:
        for bucket in range(BUCKETS):
            own_vault.post(award(wallet_in(bucket)))

    at_once([take, post, take, post, take, post])
    take()
    heads = [own_vault.checkpoints.found(str(number)).heads for number in (1, 2, 3, 4)]
    for before, after in pairwise(heads):
        assert all(old.seq <= new.seq for old, new in zip(before, after, strict=True))
    assert own_vault.check().checkpoints == 4


def test_the_trees_of_a_checkpoint_are_those_over_what_was_posted(own_vault: Vault) -> None:
    entries = [own_vault.post(award(wallet_in(bucket))) for bucket in (1, 1, 4, 1)]
    checkpoint, _ = own_vault.checkpoints.taken(uuid4(), own_vault.clock.now())
    for bucket, tree_root in enumerate(checkpoint.tree_roots):
        assert tree_root == root([leaf_hash(entry.hash) for entry in entries if entry.bucket == bucket])
    assert checkpoint.tree_root == root(bucket_leaves(checkpoint.heads, checkpoint.tree_roots))
    assert own_vault.checkpoints.found("latest") == checkpoint


def test_a_deployment_keeps_the_number_of_buckets_it_began_with(own_vault: Vault) -> None:
    engine: Engine = own_vault.engine
    prepare(engine, BUCKETS)
    with pytest.raises(BucketCountChanged) as caught:
        prepare(engine, BUCKETS * 2)
    assert caught.value.facts == {"created": BUCKETS, "configured": BUCKETS * 2}
    assert len(own_vault.readers.heads()) == BUCKETS
