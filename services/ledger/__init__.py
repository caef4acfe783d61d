"""The ledger owns how many points each wallet holds, and the journal that proves it.

It promises that points are conserved, that a request moves them at most once, that each bucket of the journal is
gap-free, commit-ordered and hash-chained, and that every balance can be rebuilt from it. It refuses to spend what is
not there, to trust a wallet id from outside, and to know money or a name. It calls nobody.
"""
