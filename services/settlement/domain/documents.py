"""The statements of a window: one for each partner that has terms or a line, signed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.settlement.domain.legs import OPERATOR
from services.settlement.domain.lines import Line, LineKey
from services.settlement.domain.nets import Net
from services.settlement.domain.statement import entries_root, signed, unsigned
from services.settlement.domain.window import Edge, Window
from shared.canonical import canonical

Sign = Callable[[bytes], bytes]
NO_ENTRIES = entries_root(())
"""The root of what follows no entry: a fee, a pack, a correction."""


@dataclass(frozen=True, slots=True)
class Signer:
    """The key that statements and seals are signed with."""

    key_id: str
    sign: Sign


def statements(
    window: Window,
    opening: Edge | None,
    closing: Edge,
    lines: Sequence[Line],
    nets: Sequence[Net],
    partners: Iterable[str],
    roots: Mapping[LineKey, bytes],
    signer: Signer,
) -> Iterator[tuple[str, bytes]]:
    """Each partner with its signed document, by partner. Ed25519 signs the same bytes the same way always.

    `partners` get one even without a line; a line stands in the documents of both its sides.
    """
    own: dict[str, list[tuple[Line, bytes]]] = {partner: [] for partner in partners}
    for line in lines:
        entry = (line, roots.get(line.key, NO_ENTRIES))
        for side in {line.key.debtor, line.key.creditor} - {OPERATOR}:
            own.setdefault(side, []).append(entry)
    by_partner: dict[str, list[Net]] = {}
    for net in nets:
        by_partner.setdefault(net.partner, []).append(net)
    for partner in sorted(own):
        document = unsigned(partner, window.number, opening, closing, own[partner], by_partner.get(partner, []))
        yield partner, signed(document, signer.key_id, signer.sign(canonical(document)))
