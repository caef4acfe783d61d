"""Statements checked by those who receive them: `python -m coalition.statements.verify FILE --key operator.pub`."""
