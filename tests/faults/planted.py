"""Faults that a ledger could have, each planted into the history of one that had none.

The liar is consistent wherever it can be: chains are hashed anew, answers agree with the journal, later balances follow
from the wrong ones. So each fault is found for what it is, not because a hash happens to give it away.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from typing import Any

from tests.faults.lies import Lie
from tests.faults.record import Answer, Asked, Balance, Call, History, Look, Place, Refused

Body = dict[str, Any]


def _lost_update(history: History) -> History:
    """Everything later in the wallet was reckoned without one award."""
    lie = Lie(history)
    award = next(body for body in lie.every("AWARD") if lie.after(body))
    for later in lie.after(award):
        later["balance"]["available"] -= award["points"]
    return lie.told()


def _double_apply(history: History) -> History:
    lie = Lie(history)
    award = lie.lasting("AWARD")
    lie.append(award, postings=[{**p, "lot": "999999.0"} for p in award["postings"]])
    return lie.told(silent=(award["request_id"],))


def _gap(history: History) -> History:
    """The last entry of a bucket takes one number too many."""
    lie = Lie(history)
    body = lie.lasting("REDEMPTION", "HOLD")
    last = lie.append(body)
    last["request_id"] = "11111111-1111-4111-8111-111111111111"
    last["seq"] += 1
    lie.acknowledge(last, lie.call(body))
    return lie.told()


def _reorder(history: History) -> History:
    """Two entries of different wallets, the second asked for after the first was answered, have changed places."""
    lie = Lie(history)
    for bodies in lie.bodies.values():
        named = {body.get("original") for body in bodies}
        free = [b for b in bodies if b["kind"] in ("REDEMPTION", "REFUND", "REVERSAL") and b["seq"] not in named]
        for one, two in combinations(free, 2):
            first, second = (lie.calls.get(body["request_id"]) for body in (one, two))
            if one["wallet"] == two["wallet"] or not first or not second or first.answered is None:
                continue
            between = bodies[bodies.index(one) + 1 : bodies.index(two)]
            touched = any(body["wallet"] in (one["wallet"], two["wallet"]) for body in between)
            if first.answered < second.called and second.answer and first.answer and not touched:
                i, j = bodies.index(one), bodies.index(two)
                bodies[i], bodies[j] = two, one
                for key in ("seq", "posted_at"):
                    one[key], two[key] = two[key], one[key]
                return lie.told()
    raise LookupError("no two entries that could change places")


def _lost_acknowledged(history: History) -> History:
    """The end of a bucket has vanished, and what the clock did there since."""
    lie = Lie(history)
    bodies = next(bodies for bodies in lie.bodies.values() if any(body["request_id"] in lie.calls for body in bodies))
    while (call := lie.calls.get(bodies.pop()["request_id"])) is None:
        pass
    if call.answer is None:
        call.answer, call.answered, call.refused = Answer(Place(0, 0), 1, Balance(), ""), call.called + 1, None
    return lie.told()


def _changed_answer(history: History) -> History:
    lie = Lie(history)
    call = next(call for call in lie.history.calls if call.repeats)
    call.repeats[0] = replace(call.repeats[0], body=call.repeats[0].body + "00")
    return lie.history


def _repeat_not_marked(history: History) -> History:
    lie = Lie(history)
    call = next(call for call in lie.history.calls if call.repeats)
    call.repeats[0] = replace(call.repeats[0], replay=False)
    return lie.history


def _wrong_balance(history: History) -> History:
    """The caller was told of one point more than the journal says."""
    lie = Lie(history)
    call = next(call for call in lie.history.calls if call.answer)
    assert call.answer
    balance = call.answer.balance
    call.answer = replace(call.answer, balance=balance._replace(available=balance.available + 1))
    return lie.history


def _wrong_wallet(history: History) -> History:
    """An award of one member lies in another's wallet of the same bucket."""
    lie = Lie(history)
    for body in lie.every("AWARD"):
        bodies = lie.bodies[body["bucket"]]
        other = next((b for b in bodies if b["wallet"] != body["wallet"] and b["seq"] < body["seq"]), None)
        if other and bodies[-1] is body:
            bodies.pop()
            lie.append({**body, "wallet": other["wallet"]})
            return lie.told()
    raise LookupError("no bucket of two wallets ends with an award")


def _wrong_points(history: History) -> History:
    """One point more was awarded than was asked for."""
    lie = Lie(history)
    award = lie.lasting("AWARD")
    award["points"] += 1
    award["postings"][0]["points"] += 1
    award["balance"]["available"] += 1
    return lie.told()


def _forged(history: History) -> History:
    """An award that nobody asked for."""
    lie = Lie(history)
    body = lie.lasting("AWARD")
    made = {"request_id": "22222222-2222-4222-8222-222222222222"}
    forged = lie.append(body, **made, postings=[{**p, "lot": "999999.0"} for p in body["postings"]])
    forged.pop("receipt", None)
    return lie.told()


def _tampered(history: History) -> History:
    """One entry was edited afterwards, and its hash was not."""
    lie = Lie(history)
    number = len(lie.history.journal) // 2
    entry = lie.history.journal[number]
    body = json.loads(entry.canonical)
    body["occurred_at"] += 1
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    lie.history.journal[number] = replace(entry, canonical=canonical)
    return lie.history


def _captured_twice(history: History) -> History:
    """A hold is spent a second time, from what another hold of the wallet reserves."""
    lie = Lie(history)
    capture = next(body for body in lie.every("CAPTURE"))
    again = lie.append(capture, request_id="33333333-3333-4333-8333-333333333333")
    lie.acknowledge(again, lie.call(capture))
    return lie.told()


def _receipt_twice(history: History) -> History:
    lie = Lie(history)
    award = next(body for body in lie.every("AWARD") if "receipt" in body)
    made = {"request_id": "44444444-4444-4444-8444-444444444444"}
    again = lie.append(award, **made, postings=[{**p, "lot": "999999.0"} for p in award["postings"]])
    lie.acknowledge(again, lie.call(award))
    return lie.told()


def _refused_and_posted(history: History) -> History:
    """A caller was told no, and it was done."""
    lie = Lie(history)
    call = next(call for call in lie.history.calls if call.answer and not call.doubtful)
    call.answer, call.refused, call.repeats = None, Refused("INSUFFICIENT_POINTS"), []
    return lie.history


def _posted_after_all(history: History) -> History:
    """A caller was told that nothing had happened, walked away, and it happened."""
    lie = Lie(history)
    call = next(call for call in lie.history.calls if call.answer and not call.doubtful)
    call.answer, call.answered, call.repeats = None, None, []
    return lie.history


def _unjustified_refusal(history: History) -> History:
    """A member with points enough was refused one."""
    lie = Lie(history)
    rich = next(
        body
        for bodies in lie.bodies.values()
        for body in reversed(bodies)
        if body["balance"]["available"] > 0 and not lie.after(body)
    )
    end = max(call.answered or call.called for call in lie.history.calls) + 1
    asked = Asked("REDEMPTION", rich["wallet"], 1)
    refused = Refused("INSUFFICIENT_POINTS", {"available": "0"})
    lie.history.calls.append(
        Call("55555555-5555-4555-8555-555555555555", "redeem", "grocer", asked, end, end + 1, refused=refused)
    )
    return lie.history


def _stale_read(history: History) -> History:
    """A balance was read that an acknowledged call had changed before."""
    lie = Lie(history)
    award = next(body for body in lie.every("AWARD"))
    answered = lie.call(award).answered or 0
    later = max(call.answered or call.called for call in lie.history.calls)
    lie.history.looks.append(Look(award["wallet"], answered + later, answered + later + 1, Balance()))
    return lie.history


def _hold_ended_early(history: History) -> History:
    """The clock gives back what is still reserved."""
    lie = Lie(history)
    for body in lie.every("HOLD"):
        ended = {later.get("original") for later in lie.bodies[body["bucket"]]}
        last = lie.bodies[body["bucket"]][-1]["posted_at"]
        if body["seq"] not in ended and body["hold_until"] > last:
            back = [{**p, "debit": "HELD", "credit": "AVAILABLE"} for p in body["postings"]]
            made = {"request_id": "66666666-6666-4666-8666-666666666666", "partner": "operator", "kind": "RELEASE"}
            early = lie.append(body, **made, postings=back, original=body["seq"])
            del early["hold_until"]
            return lie.told()
    raise LookupError("no hold is open")


FAULTS: dict[str, tuple[Callable[[History], History], str]] = {
    "an update that was lost": (_lost_update, "wrong balance"),
    "a request that was applied twice": (_double_apply, "double apply"),
    "a receipt that was awarded twice": (_receipt_twice, "double apply"),
    "a balance that was read too late": (_stale_read, "stale read"),
    "a number that a bucket skips": (_gap, "gap"),
    "two entries in the wrong order": (_reorder, "reorder"),
    "an acknowledged call that is not there": (_lost_acknowledged, "lost"),
    "another answer to the same request": (_changed_answer, "changed answer"),
    "a repeat that passes for a first call": (_repeat_not_marked, "changed answer"),
    "an answer with another balance": (_wrong_balance, "wrong balance"),
    "points in somebody else's wallet": (_wrong_wallet, "wrong wallet"),
    "a point too many": (_wrong_points, "wrong points"),
    "an entry that nobody asked for": (_forged, "forged"),
    "an entry that was edited": (_tampered, "broken chain"),
    "a hold that was captured twice": (_captured_twice, "overspent"),
    "a hold that ended before its time": (_hold_ended_early, "forged"),
    "a refusal of what was done": (_refused_and_posted, "refused and posted"),
    "a posting that was denied": (_posted_after_all, "posted after all"),
    "a refusal without a reason": (_unjustified_refusal, "unjustified refusal"),
}
"""Each with the kind of the violation that convicts it."""
