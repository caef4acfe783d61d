"""Nouns and rules of the ledger: a pure state machine. Standard library only; no clock, no database, no randomness."""
