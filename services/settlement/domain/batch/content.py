"""The content of a batch: what two people read, approve by its SHA-256, and anybody can calculate again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from services.settlement.domain.batch.basis import Basis, Due
from services.settlement.domain.batch.calculation import Calculation
from services.settlement.domain.batch.proofs import Proven
from services.settlement.domain.engine import ENGINE as ENGINE
from services.settlement.domain.netting import Payment, SetOff, Shown, gross, value
from shared.canonical import Canonical, canonical
from shared.money import decimal_text


class Instructed(NamedTuple):
    """A payment as its row has it: the account by its hash, never by its number."""

    end_to_end_id: str
    partner: str
    currency: str
    kind: str
    amount_minor: int
    account_sha256: str


class Filed(NamedTuple):
    """A file as it was built."""

    msg_id: str
    sha256: str
    currency: str
    control_sum_minor: int
    payments: int


def content(
    basis: Basis,
    made: Calculation,
    proofs: Sequence[Proven],
    instructions: Sequence[Instructed],
    files: Sequence[Filed],
    seals: Sequence[tuple[int, str]],
    engine: str = ENGINE,
) -> bytes:
    """The canonical bytes. `seals` are the windows with the hash that closing gave each."""
    document: dict[str, Canonical] = {
        "v": 1,
        "batch": basis.number,
        "revision": basis.revision,
        "engine": engine,
        "model": basis.model.value,
        "slices": [[*one] for one in sorted(basis.slices)],
        "windows": [[number, seal] for number, seal in sorted(seals)],
        "dues": _dues(basis.dues),
        "nets": [[*net, net.net_minor] for net in made.nets],
        "openings": [[*one] for one in sorted(basis.openings)],
        "terms": [[name, one.currency, one.minimum_minor] for name, one in sorted(basis.terms.items())],
        "held": sorted(basis.held),
        "fx": _fx(basis, made),
        "currencies": [_currency(currency, made) for currency in sorted(made.pairs)],
        "dispositions": [
            [one.partner, one.currency, one.net_minor, one.opening_minor, one.do.value, one.amount_minor, one.why]
            for one in made.dispositions
        ],
        "instructions": [[*one] for one in sorted(instructions)],
        "files": [[*one] for one in sorted(files)],
        "proofs": [[*one] for one in proofs],
    }
    return canonical(document)


def _dues(dues: Sequence[Due]) -> Canonical:
    """Added up over the windows: each window's own are in its seal."""
    sums: defaultdict[tuple[str, str, str, str], int] = defaultdict(int)
    for due in dues:
        sums[due.debtor, due.creditor, due.currency, due.kind] += due.minor
    return [[*key, minor] for key, minor in sorted(sums.items())]


def _fx(basis: Basis, made: Calculation) -> Canonical:
    if not made.conversions:
        return {}
    used = sorted({currency for one in made.conversions for currency in (one.currency, one.target)})
    return {
        "set": basis.fx_set,
        "quotes": [[currency, decimal_text(basis.quotes[currency])] for currency in used],
        "conversions": [
            [one.partner, one.currency, one.minor, one.target, one.target_minor, str(one.rounding)]
            for one in made.conversions
        ],
    }


def _currency(currency: str, made: Calculation) -> Canonical:
    pairs, set_off = made.pairs[currency], made.set_offs[currency]
    return {
        "currency": currency,
        "gross": gross(pairs),
        "pairs": [[*pair, minor] for pair, minor in pairs.items()],
        "set_off": _set_off(set_off),
        "set_off_value": value(set_off),
        "between": _payments(made.between[currency]),
        "models": [_shown(one) for one in made.shown[currency]],
    }


def _shown(one: Shown) -> Canonical:
    return {
        "model": one.model.value,
        "payments": len(one.payments),
        "moved": one.moved_minor,
        "saving": one.saving or "",
    }


def _set_off(set_off: SetOff) -> Canonical:
    return [[*pair, minor] for pair, minor in sorted(set_off.items())]


def _payments(payments: Sequence[Payment]) -> Canonical:
    return [[*one] for one in payments]
