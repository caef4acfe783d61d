"""gRPC in, gRPC out: translate, call, translate."""
