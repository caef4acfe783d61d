"""A batch: what windows leave to be settled, and what becomes of each participant's net.

A pure function of its basis: equal bases give equal calculations, so equal bytes, so one SHA-256 that two people and a
replay can hold on to.
"""

from services.settlement.domain.batch.basis import FX, Basis, Due, Opening, PaymentTerms, Slice
from services.settlement.domain.batch.calculation import Calculation, calculated
from services.settlement.domain.batch.content import ENGINE, content
from services.settlement.domain.batch.conversion import Conversion, FxIncomplete, converted
from services.settlement.domain.batch.dispositions import Disposition, Do, disposed
from services.settlement.domain.batch.proofs import ProofFailed, Proven, proven

__all__ = [
    "ENGINE",
    "FX",
    "Basis",
    "Calculation",
    "Conversion",
    "Disposition",
    "Do",
    "Due",
    "FxIncomplete",
    "Opening",
    "PaymentTerms",
    "ProofFailed",
    "Proven",
    "Slice",
    "calculated",
    "content",
    "converted",
    "disposed",
    "proven",
]
