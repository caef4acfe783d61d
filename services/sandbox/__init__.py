"""The whole platform on one laptop.

Owns a folder (the home) with a PostgreSQL, a development authority, keys and ports; starts the four services and knows
them only by their command line, their settings and their gRPC contracts. Promises that a second start finds what runs,
that what can be made again is made again, and that what cannot is never replaced in silence. Refuses to be a
deployment: its authority, its clock and its secrets are for development.
"""
