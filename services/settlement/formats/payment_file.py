"""A payment file's bytes: pain.001 to pay, pain.008 to collect."""

from __future__ import annotations

from services.settlement.domain.instruction import Method, PaymentFile
from services.settlement.formats import pain001, pain008


def format_of(method: Method) -> str:
    """The message that carries payments of this kind."""
    return pain008.MESSAGE if method is Method.DIRECT_DEBIT else pain001.MESSAGE


def written(file: PaymentFile) -> bytes:
    """The bytes: the same for the same rows, always. Raises BankAccountInvalid, MandateMissing, FileNotValid."""
    return pain008.written(file) if file.method is Method.DIRECT_DEBIT else pain001.written(file)
