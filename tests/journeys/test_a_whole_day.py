"""A day in the programme, from the till to the statement in the partner's hand; and what the logs keep of it: nothing
that is a secret or a person's.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from coalition.client import Coalition, connect
from coalition.identity.v1 import identity_pb2 as identity
from coalition.ledger.v1 import ledger_pb2 as ledger
from coalition.settlement.v1 import settlement_pb2 as settlement
from coalition.statements.verify import NotVerified, public_key
from coalition.statements.verify import verify as verified
from pyotp import TOTP

from services.sandbox.keys import keys_of
from services.sandbox.services import SERVICES
from tests.journeys.shopping import give_back, per_unit, publish, receipt, record
from tests.journeys.story import SECONDS, Story, fresh_id, terms, token_of, yesterday
from tests.support.platform import Member, Partner, RunningPlatform
from tests.support.refused import Refused
from tests.support.together import until
from tests.support.vectors import example

EUR = "EUR"


@dataclass
class Day:
    """What happened, and everything said on the way that nobody else may know."""

    story: Story
    grocer: Partner
    baker: Partner
    window: settlement.Window
    statement: bytes
    balances: list[int]
    secrets: list[str] = field(default_factory=list)

    @property
    def platform(self) -> RunningPlatform:
        return self.story.platform


@pytest.fixture(scope="module")
def day(platform: RunningPlatform) -> Day:
    """Anna shops for 120.50 at the grocer's, spends 100 points at the baker's and gives goods for 20.50 back."""
    story = Story(platform)
    given = example("E1")["given"]
    grocer = story.join("A", terms(given, yesterday(platform)))
    baker = story.join("B", terms(given, yesterday(platform)))
    publish(story, EUR, [per_unit("base", "1")])
    secrets = enrol_anna(story)
    purchase = record(story, receipt(story, EUR, [10_000, 2_050]))
    balances = [story.balance("A").available]
    with connect(baker.kit.folder) as till:
        secrets += spend(till, story, 100)
    balances.append(story.balance("B").available)
    give_back(story, purchase, 2)
    balances.append(story.balance("A").available)
    secrets += provoke(story)
    window = platform.close_window()
    with connect(grocer.kit.folder) as office:
        [newest] = [one for one in office.list_statements() if one.window == window.name]
        statement = office.statements.GetStatement(settlement.GetStatementRequest(name=newest.name)).content
    for partner in (grocer, baker):
        secrets += [partner.kit.secret_file.read_text().strip(), token_of(partner)]
    return Day(story, grocer, baker, window, statement, balances, secrets)


def enrol_anna(story: Story) -> list[str]:
    """Anna joins with everything that a person can tell."""
    name, number = f"Anna Ångström-{fresh_id()[:8]}", fresh_id().replace("-", "")
    shown = {
        identity.IDENTIFIER_TYPE_CARD: f"CARD{number[:12].upper()}",
        identity.IDENTIFIER_TYPE_PHONE: f"+1555{int(number, 16) % 10**7:07d}",
        identity.IDENTIFIER_TYPE_EMAIL: f"anna.{number[:10]}@example.com",
    }
    identifiers = [identity.Identifier(type=type_, value=value) for type_, value in shown.items()]
    request = identity.EnrolMemberRequest(
        request_id=fresh_id(),
        identifiers=identifiers,
        terms_version="2026-01",
        profile=identity.Profile(full_name=name),
        with_code_seed=True,
    )
    member = story.platform.operator.members.EnrolMember(request, timeout=SECONDS)
    story.anna = Member(member.name, identifiers[0], member.code_seed)
    return [name, name.split()[1], *shown.values(), member.member_number, member.code_seed]


def spend(till: Coalition, story: Story, points: int) -> list[str]:
    """The code in the app, a hold while the till adds up, and the capture of all of it."""
    code = TOTP(story.anna.code_seed).at(story.platform.clock.move(timedelta(seconds=30)))
    grant = till.members.ResolveMember(identity.ResolveMemberRequest(identifier=story.anna.card, code=code)).grant
    hold = till.ledger.HoldPoints(ledger.HoldPointsRequest(request_id=fresh_id(), grant=grant, points=points))
    till.ledger.CaptureHold(ledger.CaptureHoldRequest(request_id=fresh_id(), name=hold.name))
    return [grant]


def provoke(story: Story) -> list[str]:
    """What goes wrong on a day: errors are where secrets slip into logs."""
    partner, operator = story.partners["A"], story.platform.operator
    stranger = f"nobody.{fresh_id()[:8]}@example.com"
    wrong_secret = f"guess-{fresh_id()}"
    broken_phone = f"+1 (555) call {fresh_id()[:8]}"
    unknown = identity.Identifier(type=identity.IDENTIFIER_TYPE_EMAIL, value=stranger)
    phone = identity.Identifier(type=identity.IDENTIFIER_TYPE_PHONE, value=broken_phone)
    enrolment = partial(identity.EnrolMemberRequest, request_id=fresh_id(), terms_version="2026-01")
    resolution = identity.ResolveMemberRequest
    calls: list[Callable[..., object]] = [
        partial(partner.calls.members.ResolveMember, resolution(identifier=unknown)),
        partial(partner.calls.members.ResolveMember, resolution(identifier=story.anna.card, code="000000")),
        partial(operator.members.EnrolMember, enrolment(identifiers=[story.anna.card])),
        partial(operator.members.EnrolMember, enrolment(identifiers=[phone])),
        partial(
            partner.calls.tokens.IssueToken,
            identity.IssueTokenRequest(credential=partner.kit.credential, secret=wrong_secret),
        ),
        partial(partner.calls.ledger.GetBalance, ledger.GetBalanceRequest(grant=f"gAAAAA{wrong_secret}")),
    ]
    for call in calls:
        assert Refused.of(partial(call, timeout=SECONDS)).well_formed()
    return [stranger, wrong_secret, broken_phone]


def run(arguments: Sequence[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    """A command where nothing of the platform can be found but what lies in the folder."""
    command = [sys.executable, "-P", "-m", *map(str, arguments)]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def mail(day: Day, tmp_path: Path) -> Path:
    """What the partner's auditor has: the file and the operator's public key."""
    (tmp_path / "statement.json").write_bytes(day.statement)
    (tmp_path / "operator.pub").write_bytes(keys_of(day.platform.home).operator_public.read_bytes())
    return tmp_path


def test_points_come_and_go_as_at_a_till(day: Day) -> None:
    assert day.balances == [120, 20, 0]


def test_the_statement_says_what_the_day_cost(day: Day) -> None:
    """120 points at 0.012 less the 20 that came back; 100 at 0.009 for the baker."""
    document = json.loads(day.statement)
    [line] = document["lines"]
    assert (line["leg"], line["points"], line["booked_minor"]) == ("ISSUANCE", 100, 120)
    baker = day.story.statement("B", day.window)
    assert (baker.line("REIMBURSEMENT")["points"], baker.net_minor) == (100, 90)


@pytest.mark.parametrize(
    "command",
    [["coalition.statements.verify"], ["services.cli.main", "statement", "verify"]],
    ids=["what a partner installs", "coalition statement verify"],
)
def test_the_partner_verifies_it_with_the_file_and_the_key_alone(day: Day, mail: Path, command: list[str]) -> None:
    arguments = [*command, "statement.json", "--key", "operator.pub"]
    if command[0] == "services.cli.main":
        arguments += ["--home", str(mail / "no-platform")]
    said = run(arguments, mail)
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith(f"verified: {day.grocer.id}, window {json.loads(day.statement)['window']}, 1 lines")
    changed = re.sub(rb'"booked_minor":120', b'"booked_minor":110', day.statement, count=1)
    (mail / "statement.json").write_bytes(changed)
    refused = run(arguments, mail)
    assert refused.returncode == 1
    assert "line 1" in refused.stderr


def test_no_digit_of_it_can_be_changed(day: Day, mail: Path) -> None:
    key = public_key((mail / "operator.pub").read_bytes())
    assert verified(day.statement, key).net
    digits = [place for place, byte in enumerate(day.statement) if chr(byte).isdigit()]
    for place in digits:
        changed = bytearray(day.statement)
        changed[place] = ord(str((int(chr(changed[place])) + 1) % 10))
        with pytest.raises(NotVerified):
            verified(bytes(changed), key)


def test_another_operators_key_does_not_verify_it(day: Day, mail: Path) -> None:
    another = public_key(keys_of(day.platform.home).checkpoint_public.read_bytes())
    with pytest.raises(NotVerified, match="another key"):
        verified(day.statement, another)


def test_everything_follows_from_the_journal(day: Day, tmp_path: Path) -> None:
    said = run(["services.cli.main", "verify", "--home", day.platform.home.root], tmp_path)
    assert said.returncode == 0, said.stdout + said.stderr
    assert said.stdout.startswith("verified: ")


TOLD = {
    "identity": ("EnrolMember", "ResolveMember", "IssueToken"),
    "ledger": ("AwardPoints", "HoldPoints", "CaptureHold", "ReverseAward"),
    "catalogue": ("RecordPurchase", "RefundPurchase"),
    "settlement": ("CloseWindow", "GetStatement"),
}


def logs(platform: RunningPlatform) -> dict[str, str]:
    """As they are when the day is in them: lines are written a moment after the call."""

    def untold() -> list[str]:
        return [
            f"{service}: {method}" for service, told in TOLD.items() for method in told if method not in of(service)
        ]

    def of(service: str) -> str:
        return (platform.home.logs / f"{service}.log").read_text(errors="replace")

    until(lambda: not untold())
    return {path.name: path.read_text(errors="replace") for path in platform.home.logs.iterdir()}


def test_the_logs_tell_the_day(day: Day) -> None:
    """Or the next test would find nothing in them for the wrong reason."""
    assert set(SERVICES) == TOLD.keys()
    assert {f"{service}.log" for service in SERVICES} <= logs(day.platform).keys()


def test_no_log_holds_a_secret_or_personal_data(day: Day) -> None:
    home = day.platform.home
    files = [*home.secrets.iterdir(), *(path for path in home.keys.iterdir() if path.suffix in {".pem", ".keys"})]
    kept = [line for path in files for line in path.read_text().splitlines() if line and not line.startswith("-----")]
    patterns = {"a token": r"eyJ[\w-]{10,}\.", "a grant": r"gAAAA[\w-]{20,}", "a header": r"[Bb]earer "}
    for name, text in logs(day.platform).items():
        assert [secret for secret in [*day.secrets, *kept] if secret in text] == [], name
        assert [what for what, pattern in patterns.items() if re.search(pattern, text)] == [], name
