"""How the platform speaks gRPC: one server builder, one list of interceptors, one way to call another service."""
