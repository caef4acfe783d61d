"""Tables and queries of the ledger, and the writer that alone opens and commits its posting transactions."""
