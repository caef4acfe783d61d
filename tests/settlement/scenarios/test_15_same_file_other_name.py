"""15: an inbound file again under another name. Its content is known: no effect, logged."""

from __future__ import annotations

from structlog.testing import capture_logs

from tests.settlement.house import CLEARING, House

NETS = {"bakery": 845_900, "cinema": 267_400}
COUNTED = """
SELECT (SELECT count(*) FROM settlement.bank_lines), (SELECT count(*) FROM settlement.evidence),
    (SELECT count(*) FROM settlement.transitions), (SELECT count(*) FROM settlement.bank_messages)
"""


def test_every_file_of_the_bank_again_under_another_name_changes_no_row(house: House) -> None:
    house.opens(*NETS)
    house.pays(7, NETS)
    house.bank.advance(2)
    house.cashier.clock.pass_(days=2)
    said = [content for kind in ("pain.002", "camt.054", "camt.053") for content in house.bank.said(CLEARING, kind)]
    for at, content in enumerate(said):
        house.read(f"{at}.xml", content)
    before = house.cashier.rows(COUNTED)
    with capture_logs() as logs:
        for at, content in enumerate(reversed(said)):
            (again,) = house.read(f"copy of {at}", content)
            assert again.imported.before
    assert [line["event"] for line in logs] == ["bank file was there before"] * len(said)
    assert len({line["name"] for line in logs}) == len(said)
    assert house.cashier.rows(COUNTED) == before
    assert set(house.states().values()) == {"BOOKED"}
