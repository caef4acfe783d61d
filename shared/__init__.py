"""Plumbing that knows no service: refusals, clocks, ids, money, credentials, RPC and database engines."""
