"""gRPC in and out: what callers ask of settlement, and what settlement reads of the ledger."""
