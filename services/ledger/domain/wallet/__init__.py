"""A wallet as the core sees it: what has been folded from its entries so far, wholly or as far as a wish needs it."""

from services.ledger.domain.wallet.wallet import Wallet

__all__ = ["Wallet"]
