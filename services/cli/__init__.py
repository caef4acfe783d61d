"""The command `coalition`.

Owns how people start, look at and check a sandbox from a terminal. Promises one line per refusal (what, where, what to
do), never a stack trace, and exit codes: 0 done, 1 refused or a difference found, 2 wrong usage. Refuses to know more
than any client: it speaks gRPC and starts the sandbox.
"""
