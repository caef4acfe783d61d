"""The statements of a closed window: the roots over the entries of its lines, then the documents, signed.

This is the only part that looks at every entry again, so it comes after closing, in no hurry and in bounded memory: of
each line's tree only the right edge is kept. A crash in between leaves nothing behind; whoever comes next begins anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, text

from services.settlement.domain.documents import Signer, statements
from services.settlement.domain.lines import LineKey
from services.settlement.domain.statement import EntriesTree, statements_root
from services.settlement.domain.window import Window
from services.settlement.store import books, windows
from services.settlement.store.closing import opening_edge
from services.settlement.store.contracts import price_book
from shared.db.sessions import Sessions
from shared.money import edition

_INSERT = text("""
INSERT INTO settlement.statements (window_number, partner, document, sha256, currency, net_minor, created_at)
VALUES (:window_number, :partner, :document, :sha256, :currency, :net_minor, :created_at)
""")
_SECONDS = 3600.0


class Signing:
    """Signs the statements of windows that are closed."""

    def __init__(self, sessions: Sessions, signer: Signer) -> None:
        self._sessions = sessions
        self._signer = signer

    def sign_next(self, at: datetime) -> int | None:
        """The number of the window whose statements are signed now; None when there was none to sign."""
        with self._sessions.snapshot(_SECONDS) as connection:
            window = windows.unsigned(connection)
            if window is None:
                return None
            roots = _roots(connection, window)
        with self._sessions.writing(_SECONDS) as connection, edition(window.currency_edition):
            self._save(connection, window, roots, at)
        return window.number

    def _save(self, connection: Connection, window: Window, roots: Mapping[LineKey, bytes], at: datetime) -> None:
        assert window.to is not None  # noqa: S101  a CHECK of the table
        book = price_book(connection, window.versions_known)
        lines, nets = books.lines_of_window(connection, window.number), books.nets(connection, window.number)
        partners = [partner for partner, _ in books.participants(window.to.created_at, book)]
        opening = opening_edge(connection, window)
        made = list(statements(window, opening, window.to, lines, nets, partners, roots, self._signer))
        if not windows.sign(connection, window.number, statements_root(document for _, document in made)):
            return  # somebody else was faster, with the same bytes
        paid = {net.partner: net for net in nets}
        rows = [
            {
                "window_number": window.number,
                "partner": partner,
                "document": document,
                "sha256": sha256(document).digest(),
                "currency": paid[partner].currency,
                "net_minor": paid[partner].net_minor,
                "created_at": at,
            }
            for partner, document in made
        ]
        if rows:
            connection.execute(_INSERT, rows)


def _roots(connection: Connection, window: Window) -> dict[LineKey, bytes]:
    """The root over the entries of each line."""
    assert window.to is not None  # noqa: S101  a CHECK of the table
    book = price_book(connection, window.versions_known)
    trees: dict[LineKey, EntriesTree] = defaultdict(EntriesTree)
    for key, leaves in books.leaves_by_line(connection, window, range(len(window.to.seqs)), book):
        tree = trees[key]
        for leaf in leaves:
            tree.add(leaf.leaf)
    return {key: tree.root for key, tree in trees.items()}
