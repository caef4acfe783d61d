"""Multilateral nets paid without a clearing account: partner to partner, in few payments."""

from __future__ import annotations

from collections.abc import Mapping
from heapq import heapify, heappop, heappush

from services.settlement.domain.netting.payment import Payment


def partner_to_partner(nets: Mapping[str, int]) -> list[Payment]:
    """The largest debtor pays the largest creditor, again and again; ties by name.

    Each payment settles one of the two for good and the last one both: never more than one less than there are
    participants. `nets` add up to zero.
    """
    if sum(nets.values()):
        raise ValueError("nets add up to zero")
    debtors = [(net, name) for name, net in nets.items() if net < 0]
    creditors = [(-net, name) for name, net in nets.items() if net > 0]
    heapify(debtors)
    heapify(creditors)
    payments = []
    while debtors:
        (owes, debtor), (gets, creditor) = heappop(debtors), heappop(creditors)
        amount = min(-owes, -gets)
        payments.append(Payment(debtor, creditor, amount))
        if -owes > amount:
            heappush(debtors, (owes + amount, debtor))
        if -gets > amount:
            heappush(creditors, (gets + amount, creditor))
    return payments
