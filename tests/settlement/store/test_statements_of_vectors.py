"""S2 of settlement.json from its entries to its statements: a cycle of equal debts is shown to everybody."""

from __future__ import annotations

import json

from services.settlement.domain.terms import NOTHING, Route, Terms, Timing
from shared.money import Rate
from tests.settlement.domain.worked import at, vector
from tests.settlement.paper import day
from tests.settlement.store.office import Office

NAMES = {"A": "acorn", "B": "birch", "C": "cedar"}


def test_s2_everybody_gets_a_statement_with_its_lines_and_a_net_of_nothing(office: Office) -> None:
    s2 = vector("S2")
    assert s2["then"]["statements"] == "one per partner, each with its lines and a net of 0"
    given, then = s2["given"], s2["then"]["windows"]["W1"]
    for one in given["contract_versions"]:
        rate = Rate.of(one["rate_at_redemption"])
        terms = Terms(
            at(one["effective_from"]), Timing(given["timing"]), NOTHING, NOTHING, given["currency"],
            rate_at_redemption=rate, route=Route(given["route"]),
        )  # fmt: skip
        office.publish(NAMES[one["partner"]], terms)
    for entry in s2["entries"]:
        office.paper.redeem(
            entry["points"], NAMES[entry["acceptor"]], issuer=NAMES[entry["issuer"]], at=at(entry["occurred_at"])
        )
    office.closed(day(99))

    found = office.rows("SELECT partner, document FROM settlement.statements ORDER BY partner")
    assert [name for name, _ in found] == [NAMES[name] for name in given["partners"]]
    for partner, (_, document) in zip(given["partners"], found, strict=True):
        statement = json.loads(bytes(document))  # type: ignore[call-overload]
        own = [one for one in then["lines"] if partner in {one["debtor"], one["creditor"]}]
        expected = {(NAMES[one["debtor"]], NAMES[one["creditor"]], one["points"], one["booked_minor"]) for one in own}
        lines = {(one["debtor"], one["creditor"], one["points"], one["booked_minor"]) for one in statement["lines"]}
        assert lines == expected
        (net,) = statement["nets"]
        assert (net["currency"], net["net_minor"]) == (given["currency"], then["net_minor"][partner])
        assert net["billed_minor"] == net["reimbursed_minor"] == own[0]["booked_minor"]
