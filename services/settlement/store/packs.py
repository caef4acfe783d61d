"""The evidence pack of a batch: everything that it was made of and all that became of it, one archive, the same bytes.

Nothing is written anew for it: seals, statements, contents and files are handed out as they are stored.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from hashlib import sha256

from coalition.statements.archive import archived
from coalition.statements.onefile import source
from coalition.statements.pack import MANIFEST
from sqlalchemy import Connection, text

from services.settlement.domain.documents import Signer
from services.settlement.domain.statement import signed
from services.settlement.store import transitions, windows
from services.settlement.store.batches import contents
from services.settlement.store.batches.rows import Batch
from services.settlement.store.contracts import price_book
from shared.canonical import Canonical, canonical
from shared.instants import micros

VERIFIER = "verify.py"
_SEALS = text("SELECT document FROM settlement.seals WHERE window_number = :number")
_STATEMENTS = text("""
SELECT partner, document FROM settlement.statements WHERE window_number = :number
""")
_VERSIONS = text("""
SELECT DISTINCT partner, version FROM settlement.all_rollups WHERE window_number = :number ORDER BY partner, version
""")
_ENTRIES = text("""
SELECT seq, line, encode(entry_hash, 'hex') AS hash, occurred_at, leg, partner, version, counterparty, rate_class,
    points
FROM settlement.obligations WHERE bucket = :bucket AND seq > :after AND seq <= :upto ORDER BY seq, line
""")
_OWN = text("""
SELECT seq, canonical, prev, hash FROM settlement.own_entries WHERE window_number = :number ORDER BY seq
""")
_FX = text("""
SELECT p.document FROM settlement.fx_sets f JOIN settlement.proposals p ON p.name = f.proposal WHERE f.fx_set = :fx_set
""")
_FILES = text("SELECT msg_id, name, content FROM settlement.payment_files WHERE batch = :batch ORDER BY msg_id")
_INSTRUCTIONS = text("""
SELECT name, end_to_end_id, partner, currency, kind, amount_minor, state, coalesce(msg_id, '') AS msg_id
FROM settlement.instructions WHERE batch = :batch ORDER BY name
""")
_EVIDENCE = text("""
SELECT e.instruction, e.rank, e.verdict, e.said_at, e.source, e.code, e.decided
FROM settlement.evidence e JOIN settlement.instructions i ON i.name = e.instruction
WHERE i.batch = :batch ORDER BY e.instruction, e.rank, e.verdict, e.source
""")
_SAID = text("""
SELECT encode(sha256, 'hex') AS name, paper, content FROM settlement.bank_messages
WHERE encode(sha256, 'hex') = ANY(:names) ORDER BY sha256
""")
_COLUMNS = ["seq", "line", "hash", "occurred_at", "leg", "partner", "version", "counterparty", "rate_class", "points"]


def pack(connection: Connection, batch: Batch, signer: Signer) -> Iterator[bytes]:
    """The archive, piece by piece, in one snapshot. It holds one member at a time in memory."""
    yield from archived(_with_manifest(connection, batch, signer))


def _with_manifest(connection: Connection, batch: Batch, signer: Signer) -> Iterator[tuple[str, bytes]]:
    """All members in one pass; the manifest, whose name sorts behind theirs, has the hash of each."""
    digests: dict[str, Canonical] = {}
    for name, content in _members(connection, batch):
        digests[name] = sha256(content).hexdigest()
        yield name, content
    facts: dict[str, Canonical] = {
        "batch": batch.number,
        "content_sha256": batch.content_sha256.hex(),
        "members": digests,
        "revision": batch.revision,
        "state": batch.state,
        "v": 1,
    }
    yield MANIFEST, signed(facts, signer.key_id, signer.sign(canonical(facts)))


def _members(connection: Connection, batch: Batch) -> Iterator[tuple[str, bytes]]:
    """All members but the manifest, sorted by name."""
    yield from sorted(_of_bank(connection, batch))
    yield from sorted(_of_batch(connection, batch))
    numbers = [number for number, _ in contents.found(connection, batch, batch.take).document["windows"]]
    yield from sorted(_contracts(connection, numbers))
    yield from sorted(_files(connection, batch))
    if batch.fx_set:
        yield f"fx/{batch.fx_set}.json", bytes(connection.execute(_FX, {"fx_set": batch.fx_set}).scalar_one())
    yield VERIFIER, source()
    for number in sorted(numbers, key=str):
        yield from _of_window(connection, number)


def _of_window(connection: Connection, number: int) -> Iterator[tuple[str, bytes]]:
    folder, window = f"windows/{number}", windows.found(connection, f"windows/{number}")
    for bucket, upto in sorted(enumerate(window.to.seqs if window.to else ()), key=lambda one: f"{one[0]:05}"):
        facts = {"bucket": bucket, "after": window.from_seq(bucket), "upto": upto}
        yield f"{folder}/entries/{bucket:05}.csv", _entries(connection, facts)
    own = list(connection.execute(_OWN, {"number": number}))
    if own:
        yield (
            f"{folder}/own.json",
            canonical([[row.seq, bytes(row.canonical).decode(), bytes(row.hash).hex()] for row in own]),
        )
    seal = connection.execute(_SEALS, {"number": number}).scalar()
    if seal is not None:
        yield f"{folder}/seal.json", bytes(seal)
    rows = connection.execute(_STATEMENTS, {"number": number})
    yield from sorted((f"{folder}/statements/{row.partner}.json", bytes(row.document)) for row in rows)


def _entries(connection: Connection, facts: dict[str, int]) -> bytes:
    """What each entry of a bucket owes, with a trailer that shows a truncation."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    count = points = 0
    for row in connection.execute(_ENTRIES, facts):
        values = [micros(row.occurred_at) if column == "occurred_at" else getattr(row, column) for column in _COLUMNS]
        writer.writerow(values)
        count, points = count + 1, points + row.points
    writer.writerow(["END", count, points])
    return out.getvalue().encode()


def _contracts(connection: Connection, numbers: list[int]) -> Iterator[tuple[str, bytes]]:
    found: dict[str, bytes] = {}
    for number in numbers:
        book = price_book(connection, windows.found(connection, f"windows/{number}").versions_known)
        for row in connection.execute(_VERSIONS, {"number": number}):
            version = next(one for one in book.versions.values() if (one.id.partner, one.id.number) == tuple(row))
            found[f"contracts/{row.partner}/{row.version}.json"] = canonical(version.form)
    yield from found.items()


def _files(connection: Connection, batch: Batch) -> Iterator[tuple[str, bytes]]:
    for row in connection.execute(_FILES, {"batch": batch.number}):
        yield f"files/{row.msg_id}.xml", bytes(row.content)


def _of_bank(connection: Connection, batch: Batch) -> Iterator[tuple[str, bytes]]:
    said = list(connection.execute(_EVIDENCE, {"batch": batch.number}))
    rows: list[Canonical] = [
        [row.instruction, row.rank, row.verdict, micros(row.said_at), row.source, row.code, int(row.decided)]
        for row in said
    ]
    yield "bank/evidence.json", canonical(rows)
    names = {row.source.split("/")[1] for row in said if row.source.startswith("bankFiles/")}
    for row in connection.execute(_SAID, {"names": sorted(names)}):
        yield f"bank/{row.name}.{'sta' if row.paper == 'MT940' else 'xml'}", bytes(row.content)


def _of_batch(connection: Connection, batch: Batch) -> Iterator[tuple[str, bytes]]:
    yield "batch/content.json", contents.found(connection, batch, batch.take).content
    rows = list(connection.execute(_INSTRUCTIONS, {"batch": batch.number}))
    yield "batch/instructions.json", canonical([[*row] for row in rows])
    names = [batch.name, *(row.name for row in connection.execute(_FILES, {"batch": batch.number}))]
    chains: list[Canonical] = [
        [
            [one.name, one.step, one.frm, one.state, one.act, one.by, one.why, micros(one.at), one.hash.hex()]
            for one in transitions.chain(connection, name)
        ]
        for name in [*names, *(row.name for row in rows)]
    ]
    yield "batch/transitions.json", canonical(chains)
