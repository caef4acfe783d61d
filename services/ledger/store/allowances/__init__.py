"""Allowances: how many points an issuer may still give, dealt in slices so that stripes do not wait for each other.

A slice counts what its stripe has awarded, from the first award on, and holds what it may still award: NULL while the
issuer has no allowance. What is in no slice lies in the pool. A batch spends from its own slices; only when one is
short is the batch done again with the pool in hand, and with whatever lies in the other slices, so that the last point
can be given and none beyond it.

Everybody locks in one order: heads, allowances by partner, slices by stripe and partner, receipts.
"""

from services.ledger.store.allowances.setting import Allowance, Allowances
from services.ledger.store.allowances.spending import Gross, Pools, ShortOfAllowance, gross, left, spend

__all__ = ["Allowance", "Allowances", "Gross", "Pools", "ShortOfAllowance", "gross", "left", "spend"]
