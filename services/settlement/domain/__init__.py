"""The rules of clearing: terms, obligations, lines, nets and statements. Pure: no clock, no database, no wire."""
