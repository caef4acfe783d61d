"""The catalogue: what points are given for.

Owns earn rules, and the purchases that were rated by them. Promises that a receipt earns once, that rating is exact
and floors once on the total, that what it accepted reaches the ledger whatever crashes in between, and that goods taken
back cost the member exactly what they had earned. Refuses to guess: an unknown rule, a foreign purchase or a return
beyond what was bought changes nothing. It calls the ledger.
"""
