"""gRPC in, gRPC out: the catalogue's two services, and what it asks of the ledger."""
