"""Receipts, earn rules and what follows from them: exact, pure, standard library only."""
