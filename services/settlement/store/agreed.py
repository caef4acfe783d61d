"""What people agreed on, beside what stands in the books: versions, waivers, and how the windows moved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, text

from services.settlement.domain.proposal import Kind, ProposalNotFound
from services.settlement.domain.window import Window
from services.settlement.store import proposals, transitions
from services.settlement.store.contracts import columns_of, version_of
from services.settlement.store.seals import digest
from shared.verifying import Differs

_VERSIONS = text("SELECT * FROM settlement.contract_versions ORDER BY ordinal")
_ENDS = text("""
SELECT partner, number, effective_until, lead(effective_from) OVER of_partner AS next_from,
    lead(proposal) OVER of_partner IS NOT NULL AS was_ended
FROM settlement.contract_versions WINDOW of_partner AS (PARTITION BY partner ORDER BY number)
""")
_WAIVED = text("SELECT bucket, seq, window_number, entry_hash, waived FROM settlement.suspense WHERE waived <> ''")
_STATE = text("SELECT state FROM settlement.windows WHERE number = :number")


def check_versions(connection: Connection) -> None:
    """Each version is what two people approved, in every column, and none is missing."""
    for ordinal, row in enumerate(connection.execute(_VERSIONS).mappings(), start=1):
        name = f"partners/{row['partner']}/contract/versions/{row['number']}"
        if not _is_unchanged(connection, row):
            raise Differs("contract", name, "its terms are not the ones that were published")
        if row["ordinal"] != ordinal:
            raise Differs("contract", name, f"it is version {row['ordinal']} of all, and {ordinal - 1} came before it")
    for end in connection.execute(_ENDS):
        if end.effective_until != (end.next_from if end.was_ended else None):
            name = f"partners/{end.partner}/contract/versions/{end.number}"
            raise Differs("contract", name, "it does not end where the next one begins")


def check_waivers(connection: Connection) -> None:
    """What closed without its money, two people let go."""
    for row in connection.execute(_WAIVED):
        content = _approved(connection, row.waived, Kind.WAIVER)
        entries = content.get("entries", []) if content.get("window") == row.window_number else []
        if not any(entry[:3] == [row.bucket, row.seq, bytes(row.entry_hash).hex()] for entry in entries):
            raise Differs("entry", f"{row.bucket}-{row.seq}", "it is waived, and nobody approved that")


def check_moves(connection: Connection, all_windows: Sequence[Window]) -> None:
    """Each window moved as its chain says, and a closed one has the seal that it was closed with."""
    for window in all_windows:
        chain = transitions.chain(connection, window.name)
        if not chain:
            continue  # of the first release
        state = str(connection.execute(_STATE, {"number": window.number}).scalar_one())
        if broken := transitions.broken(chain, state):
            raise Differs("window", window.name, broken)
        for row in chain:
            if row.state == "CLOSED" and row.evidence != digest(connection, window.number):
                raise Differs("seal", window.name, "its seal is not the one that it was closed with")


def _is_unchanged(connection: Connection, row: RowMapping) -> bool:
    try:
        version = version_of(row)
    except (ValueError, TypeError, KeyError):
        return False
    columns = columns_of(version)
    if version.sha256 != bytes(row["sha256"]) or any(row[name] != value for name, value in columns.items()):
        return False
    return row["proposal"] is None or _approved(connection, row["proposal"], Kind.CONTRACT_VERSION) == version.form


def _approved(connection: Connection, proposal: str, kind: Kind) -> dict[str, Any]:
    """What was approved under this name; nothing where nobody did."""
    try:
        found = proposals.found(connection, proposal)
    except ProposalNotFound:
        return {}
    content: Any = found.content
    return content if found.state == "APPROVED" and found.kind is kind else {}
