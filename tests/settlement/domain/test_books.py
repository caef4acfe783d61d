"""Lines by rate, nets that add up to zero, and documents whose bytes never change."""

from __future__ import annotations

import json
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from services.settlement.domain.lines import LineKey
from services.settlement.domain.nets import Net
from services.settlement.domain.obligations import Leg
from services.settlement.domain.statement import EntryLeaf, as_csv, entries_root
from services.settlement.domain.window import Edge, Window, WindowState
from shared.credentials.keys import key_id
from shared.merkle import leaf_hash, root
from tests.settlement.paper import Journal, book, day, terms
from tests.settlement.reckoning import settled

GOLDEN = """\
{"from_checkpoint":{"created_at":1774396800000000,"entry_count":2,"key_id":"%(ledger)s","number":1,"root":"%(root_1)s",\
"signature":"%(signature_1)s"},"lines":[{"booked_minor":-36,"creditor":"operator","currency":"EUR",\
"currency_exponent":2,"debtor":"acorn","entries_root":"%(entries_1)s","exact":"-0.36","items":1,"late_items":0,\
"leg":"ISSUANCE","points":-30,"points_after":970,"points_before":1000,"rate":"0.012","rounding":"CUMULATIVE_HALF_EVEN"},\
{"booked_minor":2,"creditor":"acorn","currency":"EUR","currency_exponent":2,"debtor":"operator",\
"entries_root":"%(entries_2)s","exact":"0.018","items":1,"late_items":1,"leg":"REIMBURSEMENT","points":2,\
"points_after":7,"points_before":5,"rate":"0.009","rounding":"CUMULATIVE_HALF_EVEN"}],"lines_root":"%(lines_root)s",\
"nets":[{"billed_minor":-36,"currency":"EUR","net_minor":38,"reimbursed_minor":2}],"partner":"acorn",\
"signature":{"key_id":"%(key_id)s","value":"%(value)s"},"to_checkpoint":{"created_at":1774483200000000,"entry_count":4,\
"key_id":"%(ledger)s","number":2,"root":"%(root_2)s","signature":"%(signature_2)s"},"v":1,"window":2}"""


def two_windows(*, trees: bool = True) -> tuple[Journal, list[bytes]]:
    """acorn's statements for a window with an award and one with what came after."""
    paper = Journal(trees=trees)
    award = paper.award(1000)
    paper.redeem(5, bucket=1, at=day(1))
    edges = [paper.checkpoint(day(24))]
    paper.reverse(award, 30, at=day(24.5))
    paper.redeem(2, bucket=1, at=day(2))
    edges.append(paper.checkpoint(day(25)))
    return paper, [books.statements["acorn"] for books in settled(paper, book(acorn=terms()), edges)]


def test_two_rates_are_two_lines_and_two_versions_of_one_rate_are_one() -> None:
    versions = [terms("0.012", "0.009"), terms("0.013", "0.009", since=day(10)), terms("0.012", "0.008", since=day(20))]
    paper = Journal()
    for at in (1, 11, 21):
        paper.award(100 + at, at=day(at))
        paper.redeem(10 + at, at=day(at))
    (books,) = settled(paper, book(acorn=versions), [paper.checkpoint(day(31))])
    found = [(line.key.leg.value, str(line.key.rate), line.points, line.items) for line, _ in books.lines]
    assert found == [
        ("ISSUANCE", "0.012", 222, 2),
        ("ISSUANCE", "0.013", 111, 1),
        ("REIMBURSEMENT", "0.008", 31, 1),
        ("REIMBURSEMENT", "0.009", 32, 2),
    ]


def test_a_currency_and_a_rounding_have_lines_of_their_own() -> None:
    paper = Journal()
    paper.award(100, at=day(1))
    paper.award(100, at=day(11))
    versions = [terms(), terms(since=day(10), currency="USD")]
    (books,) = settled(paper, book(acorn=versions), [paper.checkpoint(day(31))])
    assert [line.key.currency for line, _ in books.lines] == ["EUR", "USD"]
    assert [(net.partner, net.currency, net.net_minor) for net in books.nets] == [
        ("acorn", "EUR", -120),
        ("acorn", "USD", -120),
        ("operator", "EUR", 120),
        ("operator", "USD", 120),
    ]


def test_sides_of_a_line_follow_its_leg() -> None:
    paper = Journal()
    paper.award(100)
    paper.redeem(100)
    (books,) = settled(paper, book(acorn=terms()), [paper.checkpoint(day(31))])
    assert [(line.key.debtor, line.key.creditor) for line, _ in books.lines] == [
        ("acorn", "operator"),
        ("operator", "acorn"),
    ]


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["award", "redeem", "close"]),
        st.sampled_from(["acorn", "birch", "cedar"]),
        st.integers(1, 10**15),
    ),
    max_size=30,
)


@given(MOVES)
def test_nets_of_every_window_and_currency_add_up_to_zero(moves: list[tuple[str, str, int]]) -> None:
    paper, edges = Journal(), list[Edge]()
    for what, partner, points in moves:
        if what == "close":
            edges.append(paper.checkpoint(day(len(edges))))
        else:
            (paper.award if what == "award" else paper.redeem)(points, partner, at=day(0))
    edges.append(paper.checkpoint(day(31)))
    prices = book(acorn=terms("0.0123", "0.0077"), birch=terms(), cedar=terms("0.005", "0.0051", currency="JPY"))
    for books in settled(paper, prices, edges):
        for currency in ("EUR", "JPY"):
            nets = [net for net in books.nets if net.currency == currency]
            assert sum(net.net_minor for net in nets) == 0
            assert all(net.net_minor == net.reimbursed_minor - net.billed_minor for net in nets[:-1])
        assert sorted(books.statements) == ["acorn", "birch", "cedar"], "a partner without a line gets a statement, too"


def test_a_window_without_partners_has_no_nets() -> None:
    paper = Journal()
    paper.award(5, "operator")
    (books,) = settled(paper, book(), [paper.checkpoint(day(1))])
    assert (books.lines, books.nets, books.statements) == ([], [], {})


def test_a_partner_that_only_takes_its_own_points_sees_both_lines_and_a_net_of_zero() -> None:
    paper = Journal()
    paper.award(100)
    paper.redeem(100)
    (books,) = settled(paper, book(acorn=terms("0.01", "0.01")), [paper.checkpoint(day(31))])
    assert [line.booked_minor for line, _ in books.lines] == [100, 100]
    assert books.nets == [Net("acorn", "EUR", 100, 100, 0), Net("operator", "EUR", 0, 0, 0)]


def test_a_line_that_is_undone_in_its_own_window_stays_with_nothing() -> None:
    paper = Journal()
    paper.reverse(paper.award(100), 100)
    (books,) = settled(paper, book(acorn=terms()), [paper.checkpoint(day(31))])
    ((line, _),) = books.lines
    assert (line.points, line.items, line.booked_minor) == (0, 2, 0)


def test_the_bytes_of_a_statement_between_checkpoints_of_the_first_release() -> None:
    paper, (first, second) = two_windows(trees=False)
    document = json.loads(second)
    signature, (one, other) = document["signature"], document["lines"]
    expected = GOLDEN % {
        "root_1": document["from_checkpoint"]["root"],
        "root_2": document["to_checkpoint"]["root"],
        "signature_1": document["from_checkpoint"]["signature"],
        "signature_2": document["to_checkpoint"]["signature"],
        "entries_1": entries_root([EntryLeaf(0, 2, -30, paper.buckets[0][1].hash)]).hex(),
        "entries_2": entries_root([EntryLeaf(1, 2, 2, paper.buckets[1][1].hash)]).hex(),
        "lines_root": document["lines_root"],
        "ledger": key_id(paper.key.public_key()),
        "key_id": signature["key_id"],
        "value": signature["value"],
    }
    assert second.decode() == expected
    assert one["entries_root"] != other["entries_root"]
    assert "from_checkpoint" not in json.loads(first)
    digests = [sha256(document).hexdigest()[:16] for document in (first, second)]
    assert digests == ["166dcb3bd830bb47", "ecea9d4a3016812b"], "the bytes of a statement must never change"


def test_checkpoints_with_trees_stand_in_a_statement_with_both_signatures() -> None:
    plain, kept = two_windows(trees=False)[1], two_windows()[1]
    for before, now in zip(map(json.loads, plain), map(json.loads, kept), strict=True):
        del before["signature"], now["signature"]
        for edge in now.keys() & {"from_checkpoint", "to_checkpoint"}:
            trees = {name: now[edge].pop(name) for name in ("tree_root", "tree_signature")}
            assert {name: len(value) for name, value in trees.items()} == {"tree_root": 64, "tree_signature": 128}
        assert now == before, "and nothing else is another than before"
    digests = [sha256(document).hexdigest()[:16] for document in kept]
    assert digests == ["15c56b8ce5d84b85", "f62d18818c987761"], "the bytes of a statement must never change"


def test_the_same_journal_gives_the_same_bytes_again() -> None:
    assert two_windows()[1] == two_windows()[1]


def test_a_statement_as_csv() -> None:
    _, (_, second) = two_windows()
    assert as_csv(json.loads(second)).decode() == (
        "partner,window,leg,debtor,creditor,currency,rate,points,items,late_items,points_before,points_after,exact,booked,"
        "tax_class,tax,subject\n"
        "acorn,2,ISSUANCE,acorn,operator,EUR,0.012,-30,1,0,1000,970,-0.36,-0.36,,0.00,\n"
        "acorn,2,REIMBURSEMENT,operator,acorn,EUR,0.009,2,1,1,5,7,0.018,0.02,,0.00,\n"
        "END,2,-0.34 EUR\n"
    )


def test_csv_writes_each_currency_with_its_own_decimals() -> None:
    lines = [
        {"currency": currency, "booked_minor": minor, "leg": "ISSUANCE", "debtor": "acorn", "creditor": "operator"}
        | {"rate": "1", "points": 1, "items": 1, "late_items": 0, "points_before": 0, "points_after": 1, "exact": "1"}
        for currency, minor in (("JPY", 1200), ("KWD", -5), ("USD", 2**63))
    ]
    rows = as_csv({"lines": lines, "partner": "acorn", "window": 1}).decode().splitlines()
    assert [row.split(",")[13] for row in rows[1:4]] == ["1200", "-0.005", "92233720368547758.08"]
    assert rows[4] == "END,3,1200 JPY,-0.005 KWD,92233720368547758.08 USD"


def test_csv_of_nothing_still_ends() -> None:
    assert as_csv({"lines": [], "partner": "acorn", "window": 1}).endswith(b"subject\nEND,0\n")


def test_the_root_over_entries_is_that_of_their_canonical_leaves() -> None:
    leaf = b'{"bucket":1,"hash":"' + b"ab" * 32 + b'","points":-5,"seq":7}'
    assert entries_root([EntryLeaf(1, 7, -5, b"\xab" * 32)]) == root([leaf_hash(leaf)])


def test_late_is_what_happened_before_the_window_opened_and_nothing_in_the_first() -> None:
    second = Window(2, WindowState.OPEN, day(5), 1, (0,))
    assert second.is_late(day(5) - 1)
    assert not second.is_late(day(5))
    assert not Window(1, WindowState.OPEN, day(5), None, ()).is_late(day(1))


def test_lines_stand_in_one_order_for_everybody() -> None:
    versions = [terms("0.1", "0.1"), terms("0.02", "0.02", since=day(10))]
    paper = Journal()
    for partner in ("birch", "acorn"):
        for at in (1, 11):
            paper.redeem(5, partner, at=day(at))
            paper.award(5, partner, at=day(at))
    (books,) = settled(paper, book(birch=versions, acorn=versions), [paper.checkpoint(day(31))])
    keys: list[LineKey] = [line.key for line, _ in books.lines]
    assert [(key.partner, key.leg, str(key.rate)) for key in keys] == [
        (partner, leg, rate)
        for partner in ("acorn", "birch")
        for leg in (Leg.ISSUANCE, Leg.REIMBURSEMENT)
        for rate in ("0.02", "0.1")
    ]
