"""Statements over the wire: the partner's own, as they were signed, checked without us."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest
from coalition.ledger.v1 import ledger_pb2
from coalition.settlement.v1 import settlement_pb2 as pb
from coalition.statements.verify import NotVerified, entries_root, public_key, verify

from tests.ledger.till import Till, reverse, till_of
from tests.settlement.api.desk import SECONDS, refused
from tests.support.platform import RunningPlatform


@pytest.fixture(scope="module")
def till(platform: RunningPlatform) -> Till:
    """A partner with three statements: an award and a redemption, a reversal, nothing."""
    till = till_of(platform)
    grant = till.grant()
    award = till.award(grant, 1003)
    till.redeem(grant, 55)
    platform.close_window()
    till.ledger.ReverseAward(reverse(award, 301), timeout=SECONDS)
    platform.close_window()
    platform.close_window()
    return till


def listed(till: Till, **more: object) -> pb.ListStatementsResponse:
    request = pb.ListStatementsRequest(parent=till.partner.name, **more)  # type: ignore[arg-type]  # fields
    return till.partner.calls.statements.ListStatements(request, timeout=SECONDS)


def own(till: Till) -> list[str]:
    """The names of the statements of the three windows, oldest first, whatever other tests close meanwhile."""
    with_lines = [one.name for one in listed(till, page_size=1000).statements if one.net.units or one.net.nanos]
    return with_lines[:2]


def got(till: Till, name: str, format_: pb.StatementFormat = pb.STATEMENT_FORMAT_UNSPECIFIED) -> pb.Statement:
    request = pb.GetStatementRequest(name=name, format=format_)
    return till.partner.calls.statements.GetStatement(request, timeout=SECONDS)


def keys(platform: RunningPlatform) -> tuple[bytes, bytes]:
    folder = platform.home.keys
    return public_key((folder / "operator.pub").read_bytes()), public_key((folder / "checkpoint.pub").read_bytes())


def test_a_statement_is_verified_offline_with_the_published_keys(platform: RunningPlatform, till: Till) -> None:
    operator, ledger = keys(platform)
    first, second = (got(till, name) for name in own(till))
    found = verify(first.content, operator, ledger)
    assert (found.partner, found.net, found.lines) == (till.partner.id, {"USD": "-11.54"}, 2)
    assert found.checkpoints >= 1
    assert verify(second.content, operator, ledger).net == {"USD": "3.62"}
    with pytest.raises(NotVerified):
        verify(first.content.replace(b'"points":1003', b'"points":1004'), operator, ledger)


def test_the_hash_and_the_net_beside_a_statement_are_its_own(till: Till) -> None:
    for name in own(till):
        statement = got(till, name, pb.STATEMENT_FORMAT_JSON)
        assert statement.format == pb.STATEMENT_FORMAT_JSON
        assert statement.sha256 == sha256(statement.content).digest()
        assert statement.window == f"windows/{name.rpartition('/')[2]}"
        (net,) = json.loads(statement.content)["nets"]
        assert statement.net.units * 100 + statement.net.nanos // 10**7 == net["net_minor"]
        assert statement == got(till, name), "JSON when nothing is asked for, and the same again"


def test_a_partner_builds_the_root_over_its_entries_from_what_the_ledger_gave_it(
    platform: RunningPlatform, till: Till
) -> None:
    request = ledger_pb2.ListEntriesRequest(parent=till.partner.name)
    (award,) = (
        entry
        for entry in till.ledger.ListEntries(request, timeout=SECONDS).entries
        if entry.kind == ledger_pb2.ENTRY_KIND_AWARD
    )
    (line,) = (one for one in json.loads(got(till, own(till)[0]).content)["lines"] if one["leg"] == "ISSUANCE")
    assert entries_root([(award.bucket, award.seq, award.points, award.hash)]).hex() == line["entries_root"]


def test_as_csv_it_is_a_rendering_with_an_end(till: Till) -> None:
    name = own(till)[0]
    statement = got(till, name, pb.STATEMENT_FORMAT_CSV)
    rows = statement.content.decode().split("\n")
    assert rows[0].startswith("partner,window,leg,")
    assert rows[1].startswith(
        f"{till.partner.id},{name.rpartition('/')[2]},ISSUANCE,{till.partner.id},operator,USD,0.012,"
    )
    assert rows[2].endswith(",0.495,0.50,,0.00,")
    assert rows[3:] == ["END,2,12.54 USD", ""]
    assert statement.format == pb.STATEMENT_FORMAT_CSV
    assert statement.sha256 == got(till, name).sha256, "of the JSON, whatever the format"


def test_statements_are_listed_without_their_bytes_page_by_page(platform: RunningPlatform, till: Till) -> None:
    whole = listed(till, page_size=1000).statements
    assert not any(one.content for one in whole)
    found: list[pb.Statement] = []
    token = ""
    while True:
        page = listed(till, page_size=1, page_token=token)
        found += page.statements
        token = page.next_page_token
        if not token or len(found) == len(whole):
            break
    assert found == list(whole)
    assert len({one.name for one in found}) == len(found) >= 3
    token = listed(till, page_size=1).next_page_token
    request = pb.ListStatementsRequest(parent=till.partner.name, page_size=1, page_token=token)
    assert refused(lambda: platform.operator.statements.ListStatements(request, timeout=SECONDS)) == (
        "INVALID_ARGUMENT",
        "INVALID_PAGE_TOKEN",
    ), "a token is bound to whom it was given"


def test_the_operator_sees_the_same_bytes(platform: RunningPlatform, till: Till) -> None:
    name = own(till)[0]
    request = pb.GetStatementRequest(name=name)
    assert platform.operator.statements.GetStatement(request, timeout=SECONDS) == got(till, name)


def test_another_partner_sees_nothing_of_it(platform: RunningPlatform, till: Till) -> None:
    other, name = platform.partner(), own(till)[0]
    statements = other.calls.statements
    for call in (
        lambda: statements.GetStatement(pb.GetStatementRequest(name=name), timeout=SECONDS),
        lambda: statements.GetStatement(pb.GetStatementRequest(name=f"{other.name}/statements/1"), timeout=SECONDS),
        lambda: statements.GetStatement(pb.GetStatementRequest(name="partners/nobody/statements/1"), timeout=SECONDS),
        lambda: statements.ListStatements(pb.ListStatementsRequest(parent=till.partner.name), timeout=SECONDS),
    ):
        assert refused(call) == ("NOT_FOUND", "STATEMENT_NOT_FOUND")


@pytest.mark.parametrize("number", ["0", "999999999999999999"])
def test_a_statement_that_is_not_there_is_not_found(till: Till, number: str) -> None:
    name = f"{till.partner.name}/statements/{number}"
    assert refused(lambda: got(till, name)) == ("NOT_FOUND", "STATEMENT_NOT_FOUND")
    assert refused(lambda: got(till, own(till)[0], 9))[0] == "INVALID_ARGUMENT"  # type: ignore[arg-type]  # no such format
