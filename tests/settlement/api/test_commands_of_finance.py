"""`coalition settle` against the running service: what has an RPC has a command, which may be repeated and says what
comes next. The way of a month is in `tests/journeys/test_a_month_for_finance.py`; here is what lies beside it.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from tests.ledger.till import Till
from tests.settlement.accounts import german
from tests.settlement.reconciling.papers import Said, statement
from tests.support.finance import BLOCKED, DONE, NEEDS_A_PERSON, REFUSED, WRONG_USAGE, Facts, decided, settle, typed
from tests.support.platform import RunningPlatform

TERMS = {
    "effective_from": "2025-11-01T00:00:00Z",
    "timing": "TIMING_AT_ISSUANCE",
    "rate_at_issuance": {"value": "0.012"},
    "reimbursement_rate": {"value": "0.009"},
    "currency": "USD",
    "guarantee_minor": "2000",
}


def paper(folder: Path, content: object) -> str:
    file = folder / "paper.json"
    file.write_text(json.dumps(content))
    return str(file)


def proposed(platform: RunningPlatform, *words: str) -> Facts:
    """The command twice: one proposal, and who comes next."""
    made = settle(platform.home, *words, code=NEEDS_A_PERSON)
    assert made["next"].startswith("another person: coalition settle proposals P")
    assert settle(platform.home, *words, code=NEEDS_A_PERSON) == made
    return made


def test_a_contract_is_published_listed_and_owed_by(platform: RunningPlatform, tmp_path: Path) -> None:
    partner = platform.partner(terms=None).id
    made = proposed(platform, "contract", "publish", partner, paper(tmp_path, TERMS))
    assert (made["state"], made["guarantee_minor"]) == ("PROPOSED", 2000)
    assert made["default_order"] == ["COLLATERAL", "GUARANTEE", "OPERATOR", "SURVIVORS"]
    decided(platform.home, made)
    after = settle(platform.home, "contract", "publish", partner, paper(tmp_path, TERMS))
    assert (after["state"], after["next"]) == ("PUBLISHED", "")
    [version] = settle(platform.home, "contract", "list", f"partners/{partner}")["contract_versions"]
    assert (version["rate_at_issuance"], version["effective_from"]) == ("0.012", "2025-11-01T00:00:00Z")
    owes = settle(platform.home, "contract", "position", partner)
    assert (owes["exact"], owes["currency"]) == ("0", "USD")


def test_a_paper_that_is_none_is_refused_without_repeating_it(platform: RunningPlatform, tmp_path: Path) -> None:
    wrong = paper(tmp_path, {"iban": german(1), "colour": "red"})
    refused = settle(platform.home, "account", "add", "shop-x", wrong, code=WRONG_USAGE)["refused"]
    assert "no BankAccount in JSON" in refused
    assert german(1) not in refused


def test_an_account_takes_two_people_and_a_second_channel(platform: RunningPlatform, tmp_path: Path) -> None:
    home, iban = platform.home, german(9911)
    account = {"currency": "EUR", "holder": "Shop Y", "iban": iban, "bic": "MOCKDEFF"}
    made = proposed(platform, "account", "add", "shop-y", paper(tmp_path, account))
    decided(home, made)
    check = ("account", "verify", made["name"], "--channel", "PHONE", "--note", "called back")
    assert "entered" in settle(home, *check, code=REFUSED)["refused"]
    assert settle(home, *check, person="colleague")["state"] == "VERIFIED"
    [listed] = settle(home, "account", "list", "shop-y")["accounts"]
    assert listed["iban"] == f"DE..{iban[-4:]}"
    assert settle(home, "account", "show", made["name"])["iban"] == iban


def test_a_cap_is_set_shown_and_awards_are_suspended_and_resumed(platform: RunningPlatform) -> None:
    home, partner = platform.home, platform.partner().id
    made = proposed(platform, "cap", "set", partner, "80.00 USD", "--alert", "60.00 USD", "--weight", "0.5")
    decided(home, made)
    shown = settle(home, "cap", "show", partner)
    assert (shown["net_debit_cap"], shown["alert_threshold"]) == ("80.00 USD", "60.00 USD")
    assert shown["outstanding_weight"] == "0.5"
    settle(home, "cap", "suspend", partner, "--why", "late")
    assert "another" in settle(home, "cap", "resume", partner, "--why", "paid", code=REFUSED)["refused"]
    assert settle(home, "cap", "resume", partner, "--why", "paid", person="colleague")["suspended"] is False
    told = {one["name"] for one in _whatever(platform, "cap", "list")["caps"]}
    assert f"partners/{partner}/cap" in told


def test_calendars_models_and_rates_are_published_listed_and_shown(platform: RunningPlatform, tmp_path: Path) -> None:
    home = platform.home
    days = {
        "name": "calendars/of-commands",
        "source": "ECB",
        "from_day": {"year": 2026, "month": 1, "day": 1},
        "until_day": {"year": 2026, "month": 2, "day": 1},
        "time_zone": "Europe/Berlin",
        "cut_off": "18:00",
    }
    decided(home, proposed(platform, "calendar", "publish", paper(tmp_path, days)))
    shown = settle(home, "calendar", "show", "calendars/of-commands")
    assert (shown["version"], shown["days"][0]["day"], bool(shown["days"][0]["closed"])) == (1, "2026-01-01", True)
    assert "calendars/of-commands" in {one["name"] for one in settle(home, "calendar", "list")["calendars"]}
    model = {"name": "models/of-commands", "netting": "NETTING_BILATERAL", "calendar": "calendars/of-commands"}
    decided(home, proposed(platform, "model", "publish", paper(tmp_path, model)))
    assert settle(home, "model", "show", "models/of-commands")["netting"] == "BILATERAL"
    assert "models/of-commands" in {one["name"] for one in settle(home, "model", "list")["models"]}
    quotes = tmp_path / "quotes.csv"
    quotes.write_text("currency,quote\nUSD,1.0837\n")
    words = ("fx", "load", str(quotes), "--name", "fxSets/of-commands", "--day", "2026-03-02")
    decided(home, proposed(platform, *words, "--base", "EUR", "--source", "ECB"))
    assert {"currency": "USD", "quote": "1.0837"} in settle(home, "fx", "show", "fxSets/of-commands")["quotes"]
    assert "fxSets/of-commands" in {one["name"] for one in settle(home, "fx", "list")["fx_sets"]}


@pytest.fixture(scope="module")
def closed(platform: RunningPlatform) -> Facts:
    """A window in which one partner awarded 1,003 points, netted into a batch that nobody can submit."""
    platform.close_window()  # with whatever other tests have done
    till = Till(platform, platform.partner())
    till.award(till.grant(), 1_003)
    window = platform.close_window().name.replace("windows/", "W")
    made = settle(platform.home, "run", "--window", window, code=BLOCKED)
    return {"window": window, "batch": made["batch"].replace("batches/", "B"), "partner": till.partner.id}


def test_the_reports_of_a_window_and_a_batch(platform: RunningPlatform, closed: Facts, tmp_path: Path) -> None:
    home = platform.home
    liability = settle(home, "report", "liability", closed["window"])
    [vintage] = [one for one in liability["vintages"] if one["issuer"] == closed["partner"]]
    assert (vintage["awarded"], vintage["closing"]) == (1_003, 1_003)
    file = tmp_path / "books.csv"
    codes = tmp_path / "codes.csv"
    codes.write_text("account,code\npartner/*,1400\n")
    words = ("report", "books", closed["window"], "--to", str(file), "--codes", str(codes))
    first = settle(home, *words)
    content = file.read_bytes()
    assert b",1400,operator,USD,12.04" in content
    assert settle(home, *words) == first
    assert file.read_bytes() == content
    held = ("--rate", "0.009", "--urr", "0.85", "--held", "0 EUR")
    reserve = settle(home, "report", "reserve", "--points", "1000000", *held, code=NEEDS_A_PERSON)
    assert (reserve["required"], reserve["top_up"]) == ("7650.00 EUR", "7650.00 EUR")
    agreed = settle(home, "report", "reconciliation", closed["batch"], code=NEEDS_A_PERSON)
    assert agreed["agrees"] is False, "nothing is paid yet"
    assert [one["ledger_entries"] == one["counted_entries"] for one in agreed["windows"]] == [True]


def test_what_happened_can_be_looked_at(platform: RunningPlatform, closed: Facts, tmp_path: Path) -> None:
    home, file = platform.home, tmp_path / "entries.csv"
    assert settle(home, "entries", closed["window"], "--to", str(file))["entries"] == 1
    header, entry, end = (line.split(",") for line in file.read_text().splitlines())
    assert dict(zip(header, entry, strict=True))["points"] == "1003"
    assert end == ["END", "1"]
    assert '"window"' in settle(home, "seal", closed["window"])["content"]
    told = settle(home, "history", closed["batch"].replace("B", "batches/"))["transitions"]
    assert [one["to_state"] for one in told] == ["DRAFT", "CALCULATED"]
    assert settle(home, "compare", closed["batch"], "--from", "1", "--to", "1")["differences"] == []
    assert isinstance(settle(home, "openings")["openings"], list)
    assert isinstance(settle(home, "adjustments")["adjustments"], list)
    statement = f"partners/{closed['partner']}/statements/{closed['window'].removeprefix('W')}"
    listed = typed(home, "statement", "list", closed["partner"])["statements"]
    assert statement in {one["name"] for one in listed}
    assert settle(home, "suspense", closed["window"])["entries"] == []
    again = settle(home, "suspense", closed["window"], "--waive", "--why", "x", code=REFUSED)
    assert "waits for a price" in again["refused"]


def test_decisions_out_of_the_ordinary_are_refused_where_there_is_nothing_to_decide(
    platform: RunningPlatform, closed: Facts
) -> None:
    home, batch = platform.home, closed["batch"]
    stands = settle(home, "override", batch, "--condition", "CLEARING_ACCOUNT_MISSING", "--why", "x", code=REFUSED)
    assert "cannot be overridden" in stands["refused"]
    covers = ("--guarantee", "20.00 USD", "--first-loss", "15.00 USD")
    unpaid = settle(home, "default", batch, closed["partner"], "--why", "late", *covers, code=REFUSED)
    assert "owes nothing" in unpaid["refused"]
    assert settle(home, "quarantine")["why"] == ""
    assert "not in quarantine" in settle(home, "quarantine", "--lift", "--why", "x", code=REFUSED)["refused"]
    assert settle(home, "retry", "steps/send/none")["blocked"] is False


def test_payments_files_and_lines_of_the_bank_are_listed_and_shown(platform: RunningPlatform, closed: Facts) -> None:
    home = platform.home
    [payment] = settle(home, "payment", "list", closed["batch"])["payments"]
    assert (payment["partner"], payment["amount"], payment["state"]) == (closed["partner"], "12.04 USD", "PENDING")
    assert settle(home, "payment", "show", payment["name"])["amount"] == "12.04 USD"
    for act in ("supersede", "carry"):
        refused = settle(home, "payment", act, payment["name"], "--why", "x", code=REFUSED)["refused"]
        assert payment["name"] in refused
    assert settle(home, "file", "list", closed["batch"])["files"] == []
    for words in (("show",), ("download",), ("sent",), ("approve", "--sha256", "ab" * 32)):
        missing = settle(home, "file", words[0], "files/none", *words[1:], code=REFUSED)["refused"]
        assert "files/none" in missing
    assert isinstance(_whatever(platform, "bank", "lines", "--outcome", "NEW")["lines"], list)
    assert "bankLines/999999" in settle(home, "bank", "line", "bankLines/999999", code=REFUSED)["refused"]


def test_a_break_is_explained_refuted_and_explained_anew_in_the_same_words(
    platform: RunningPlatform, tmp_path: Path
) -> None:
    home, iban = platform.home, german(9912)
    account = {"clearing": True, "currency": "SEK", "holder": "The operator", "iban": iban, "bic": "MOCKDEFF"}
    made = settle(home, "account", "add", "operator", paper(tmp_path, account), code=NEEDS_A_PERSON)
    decided(home, made)
    settle(home, "account", "verify", made["name"], "--channel", "VISIT", "--note", "seen", person="colleague")
    file = tmp_path / "day.xml"
    file.write_bytes(statement(iban, date(2026, 3, 2), [Said(777, currency="SEK")], currency="SEK"))
    assert settle(home, "bank", "import", str(file), code=NEEDS_A_PERSON)["broken"] == 1
    found = settle(home, "breaks", code=NEEDS_A_PERSON)["breaks"]
    [name] = [one["break"] for one in found if one["amount"] == "7.77 SEK"]
    for _ in range(2):
        for _ in range(2):  # each may be repeated
            said = settle(home, "breaks", name, "--explain", "a gift", code=NEEDS_A_PERSON)
            assert (said["state"], said["explanation"]) == ("EXPLAINED", "a gift")
        for _ in range(2):
            said = settle(home, "breaks", name, "--refute", "it is none", code=NEEDS_A_PERSON)
            assert (said["state"], said["explanation"]) == ("OPEN", "")
    told = settle(home, "history", name)["transitions"]
    assert [one["act"] for one in told] == ["found", *["ExplainBreak", "RefuteBreak"] * 2]
    assert settle(home, "breaks", name, "--resolve", "adjustments/1")["state"] == "RESOLVED"


def test_what_stops_releases_is_shown_until_a_statement_ends_it(platform: RunningPlatform, tmp_path: Path) -> None:
    home, iban, file = platform.home, german(9913), tmp_path / "day.xml"
    account = {"clearing": True, "currency": "NOK", "holder": "The operator", "iban": iban, "bic": "MOCKDEFF"}
    made = settle(home, "account", "add", "operator", paper(tmp_path, account), code=NEEDS_A_PERSON)
    decided(home, made)
    settle(home, "account", "verify", made["name"], "--channel", "VISIT", "--note", "seen", person="colleague")
    file.write_bytes(statement(iban, date(2026, 3, 2), [], opening=-777, currency="NOK"))
    settle(home, "bank", "import", str(file))
    (stop,) = (one for one in settle(home, "breaks", code=BLOCKED)["breaks"] if one["stops"] == "NOK")
    assert (stop["reason"], stop["amount"]) == ("CLEARING_OVERDRAWN", "7.77 NOK")
    shown = settle(home, "breaks", stop["break"], code=BLOCKED)
    assert (shown["expected"], shown["found"], shown["stops"]) == ("0.00 NOK", "-7.77 NOK", "NOK")
    told = settle(home, "status", code=BLOCKED)
    assert ("NOK" in told["stopped"], told["next"]) == (True, "coalition settle breaks")
    assert settle(home, "breaks", stop["break"], "--explain", "a fee", code=BLOCKED)["stops"] == "NOK"
    refused = settle(home, "breaks", stop["break"], "--resolve", "a letter", code=REFUSED)["refused"]
    assert "no person ends it" in refused
    given_up = settle(home, "breaks", stop["break"], "--write-off", "small", code=REFUSED)["refused"]
    assert "no person ends it" in given_up
    covered = [Said(778, reference="covered", currency="NOK")]
    file.write_bytes(statement(iban, date(2026, 3, 3), covered, number=2, opening=-777, currency="NOK"))
    settle(home, "bank", "import", str(file), code=NEEDS_A_PERSON)
    shown = settle(home, "breaks", stop["break"])
    assert (shown["state"], shown["stops"]) == ("RESOLVED", "")


def test_a_partner_is_suspended_again_only_in_other_words(platform: RunningPlatform) -> None:
    home, partner = platform.home, platform.partner().id
    for why in ("late", "late again"):
        assert settle(home, "cap", "suspend", partner, "--why", why)["suspended"] is True
        assert settle(home, "cap", "resume", partner, "--why", why, person="colleague")["suspended"] is False
    unheard = settle(home, "cap", "suspend", partner, "--why", "late", code=NEEDS_A_PERSON)
    assert unheard["suspended"] is False
    assert "other words" in unheard["next"]


def _whatever(platform: RunningPlatform, *words: str) -> Facts:
    """What a list answers, whether or not something in it waits for a person."""
    return settle(platform.home, *words, code=(DONE, NEEDS_A_PERSON))
