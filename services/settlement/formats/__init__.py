"""Papers: what banks, people and the ledger wrote, and the domain's objects they stand for. No clock, no database."""
