"""`coalition settle --validate-only COMMAND` says what the command would, and nothing is different afterwards."""

from __future__ import annotations

import json
from pathlib import Path

from coalition.settlement.v1.approvals_pb2 import PROPOSAL_STATE_PROPOSED, ListProposalsRequest
from coalition.settlement.v1.reconciliation_pb2 import ListBankLinesRequest

from tests.settlement.accounts import german
from tests.settlement.reconciling.papers import Said, statement
from tests.support.finance import NEEDS_A_PERSON, REFUSED, WRONG_USAGE, decided, settle
from tests.support.platform import RunningPlatform

TERMS = {
    "effective_from": "2025-11-01T00:00:00Z",
    "timing": "TIMING_AT_ISSUANCE",
    "rate_at_issuance": {"value": "0.012"},
    "reimbursement_rate": {"value": "0.009"},
    "currency": "USD",
}
REHEARSED = "--validate-only"
SAME = "the same without --validate-only"


def proposals(platform: RunningPlatform) -> set[str]:
    """Those that wait for somebody."""
    request = ListProposalsRequest(state=PROPOSAL_STATE_PROPOSED, page_size=1000)
    return {one.name for one in platform.operator.approvals.ListProposals(request, timeout=20).proposals}


def lines(platform: RunningPlatform) -> set[str]:
    """All that the bank has said so far."""
    request = ListBankLinesRequest(page_size=1000)
    return {one.name for one in platform.operator.reconciliation.ListBankLines(request, timeout=20).bank_lines}


def test_a_rehearsed_command_answers_as_it_would_and_proposes_nothing(
    platform: RunningPlatform, tmp_path: Path
) -> None:
    home, partner = platform.home, platform.partner(terms=None).id
    paper = tmp_path / "terms.json"
    paper.write_text(json.dumps(TERMS))
    publish = ("contract", "publish", partner, str(paper))
    waiting = proposals(platform)
    rehearsed = settle(home, REHEARSED, *publish)
    assert (rehearsed["state"], rehearsed["validated"], rehearsed["next"]) == ("PROPOSED", True, SAME)
    assert proposals(platform) == waiting
    made = settle(home, *publish, code=NEEDS_A_PERSON)
    assert "validated" not in made
    assert proposals(platform) == {*waiting, made["proposal"]}
    decided(home, made)
    assert settle(home, *publish)["state"] == "PUBLISHED"


def test_what_would_be_refused_is_refused_in_a_rehearsal(platform: RunningPlatform, tmp_path: Path) -> None:
    home, paper = platform.home, tmp_path / "account.json"
    paper.write_text(json.dumps({"currency": "EUR", "holder": "Shop", "iban": german(9713), "bic": "MOCKDEFF"}))
    made = settle(home, "account", "add", "shop-of-rehearsals", str(paper), code=NEEDS_A_PERSON)
    decided(home, made)
    check = ("account", "verify", made["name"], "--channel", "PHONE", "--note", "called back")
    refused = settle(home, *check, code=REFUSED)
    assert settle(home, REHEARSED, *check, code=REFUSED) == refused
    assert settle(home, REHEARSED, *check, person="colleague")["state"] == "VERIFIED"
    assert settle(home, "account", "show", made["name"])["state"] != "VERIFIED"


def test_a_rehearsed_file_of_the_bank_is_read_and_not_kept(platform: RunningPlatform, tmp_path: Path) -> None:
    """Sent in pieces: what is rehearsed is said in its header."""
    home, iban, file = platform.home, german(9714), tmp_path / "day.xml"
    paper = tmp_path / "account.json"
    paper.write_text(json.dumps({"currency": "EUR", "holder": "Us", "iban": iban, "bic": "MOCKDEFF", "clearing": True}))
    decided(home, settle(home, "account", "add", "operator", str(paper), code=NEEDS_A_PERSON))
    file.write_bytes(statement(iban, platform.clock.now().date(), [Said(100)]))
    imported = ("bank", "import", str(file))
    known = lines(platform)
    rehearsed = settle(home, REHEARSED, *imported)
    assert (rehearsed["broken"], rehearsed["validated"]) == (1, True)
    assert lines(platform) == known
    assert settle(home, *imported, code=NEEDS_A_PERSON)["broken"] == 1
    assert len(lines(platform)) == len(known) + 1


def test_a_question_is_no_rehearsal(platform: RunningPlatform) -> None:
    assert settle(platform.home, REHEARSED, "fx", "list") == settle(platform.home, "fx", "list")


def test_a_command_of_several_steps_says_how_else_to_look(platform: RunningPlatform) -> None:
    refused = settle(platform.home, REHEARSED, "run", code=WRONG_USAGE)["refused"]
    assert "run --dry-run" in " ".join(refused.replace("│", " ").split())
