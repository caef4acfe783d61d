"""Settlement owns how much money the partners owe each other: terms, windows, lines, nets and statements.

It promises that every journal entry is counted in exactly one window, that the bill does not depend on where windows
are cut, that closed numbers never change and that a partner can check its statement without us. It refuses to close
over a hole, over an entry without a price, or over a hash that does not follow. It calls the ledger, to read.
"""
