"""A statement is checked offline: whatever was changed in it is refused, with the first place that is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from coalition.statements import verify as module
from coalition.statements.verify import NotVerified, Verified, entries_root, main, public_key, sentence, verify
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.settlement.domain.terms import Rounding
from shared.canonical import canonical
from tests.settlement.paper import Journal, book, day, terms
from tests.settlement.reckoning import PUBLIC_KEY, STATEMENT_KEY, settled

STRANGER = Ed25519PrivateKey.from_private_bytes(b"stranger".ljust(32)).public_key().public_bytes_raw()
Document = dict[str, Any]


@cache
def example(*, trees: bool = True) -> tuple[bytes, bytes, Journal]:
    """acorn's statements of two windows. Without trees: as the first release signed checkpoints."""
    paper = Journal(trees=trees)
    award = paper.award(1234)
    paper.redeem(57, bucket=1)
    edges = [paper.checkpoint(day(24))]
    paper.reverse(award, 31, at=day(25))
    paper.award(125, at=day(26))
    paper.redeem(250, bucket=1, at=day(2))
    edges.append(paper.checkpoint(day(30)))
    prices = book(acorn=[terms(), terms("0.02", rounding=Rounding.CUMULATIVE_HALF_UP, since=day(26))])
    first, second = (books.statements["acorn"] for books in settled(paper, prices, edges))
    return first, second, paper


def resigned(change: Callable[[Document], object]) -> bytes:
    """The second statement as an operator would sign it who does not calculate right: changed, then signed anew."""
    document: Document = json.loads(example()[1])
    change(document)
    document["lines_root"] = module.root([canonical(line) for line in document["lines"]]).hex()
    del document["signature"]
    value = STATEMENT_KEY.sign(canonical(document)).hex()
    document["signature"] = {"key_id": json.loads(example()[1])["signature"]["key_id"], "value": value}
    return canonical(document)


def refused(content: bytes, key: bytes = PUBLIC_KEY, checkpoint_key: bytes | None = None) -> NotVerified:
    with pytest.raises(NotVerified) as caught:
        verify(content, key, checkpoint_key)
    return caught.value


@pytest.mark.parametrize("trees", [False, True])
def test_a_good_statement_is_verified(trees: bool) -> None:
    first, second, paper = example(trees=trees)
    assert (b'"tree_root"' in first) == (b'"tree_root"' in second) == trees
    assert verify(first, PUBLIC_KEY, paper.public_key) == Verified("acorn", 1, 2, {"EUR": "-14.30"}, 1)
    assert verify(second, PUBLIC_KEY, paper.public_key) == Verified("acorn", 2, 3, {"EUR": "0.12"}, 2)
    assert verify(second, PUBLIC_KEY).checkpoints == 0


def test_an_operator_signs_the_same_bytes_alike() -> None:
    assert resigned(lambda document: None) == example()[1]


@pytest.mark.parametrize("trees", [False, True])
def test_every_changed_digit_anywhere_is_refused(trees: bool) -> None:
    _, content, paper = example(trees=trees)
    places = [place for place, byte in enumerate(content) if chr(byte) in "0123456789"]
    assert len(places) > 500
    for place in places:
        other = b"0" if content[place : place + 1] != b"0" else b"1"
        changed = content[:place] + other + content[place + 1 :]
        with pytest.raises(NotVerified):
            verify(changed, PUBLIC_KEY, paper.public_key)


@pytest.mark.parametrize("trees", [False, True])
def test_every_other_changed_byte_is_refused(trees: bool) -> None:
    _, content, _ = example(trees=trees)
    for place in range(0, len(content), 3):
        with pytest.raises(NotVerified):
            verify(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :], PUBLIC_KEY)


@pytest.mark.parametrize("key", ["points", "points_before", "points_after", "booked_minor"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_changed_line_is_named(key: str, number: int) -> None:
    document = json.loads(example()[1])
    document["lines"][number - 1][key] += 1
    assert refused(canonical(document)).where.startswith(f"line {number} (")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("rate", "0.013"),
        ("exact", "1"),
        ("debtor", "birch"),
        ("creditor", "birch"),
        ("leg", "REIMBURSEMENT"),
        ("leg", "GIFT"),
        ("currency_exponent", 3),
        ("currency_exponent", -2),
        ("currency_exponent", 10**9),
        ("rounding", "CUMULATIVE_DOWN"),
        ("late_items", 2),
        ("late_items", -1),
        ("points", "5"),
        ("rate", 12),
        ("rate", "²"),
        ("rate", "1e-2"),
        ("rate", "٠.٠١٢"),
        ("items", None),
        ("items", True),
    ],
)
def test_a_line_that_does_not_calculate_is_refused_though_it_is_signed(key: str, value: object) -> None:
    def change(document: Document) -> None:
        document["lines"][0][key] = value

    content = json.loads(example()[1])
    change(content)
    written = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert refused(written).where.startswith(("line 1", "document"))


def test_a_changed_line_that_still_calculates_is_found_by_the_tree() -> None:
    document = json.loads(example()[1])
    document["lines"][0]["items"] += 1
    assert refused(canonical(document)).where == "lines_root"


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda d: d["nets"][0].update(net_minor=13), "net EUR"),
        (lambda d: d["nets"][0].update(billed_minor=0), "net EUR"),
        (lambda d: d["nets"].append(d["nets"][0]), "nets"),
        (lambda d: d["nets"].clear(), "nets"),
        (lambda d: d["lines"].append(d["lines"][0]), "lines"),
        (lambda d: d["lines"].pop(), "net EUR"),
        (lambda d: d.pop("from_checkpoint"), "window"),
        (lambda d: d.pop("to_checkpoint"), "window"),
        (lambda d: d.update(window=1), "window"),
        (lambda d: d["to_checkpoint"].update(number=1), "to_checkpoint"),
        (lambda d: d.pop("nets"), "document"),
        (lambda d: d.update(nets=5), "document"),
        (lambda d: d["nets"].append(5), "document"),
        (lambda d: d.update(v=2), "document"),
        (lambda d: d.update(partner="birch"), "line 1 (ISSUANCE at 0.012 EUR)"),
    ],
)
def test_what_the_operator_signed_must_still_add_up(change: Callable[[Document], object], where: str) -> None:
    assert refused(resigned(change)).where == where


def test_the_root_over_the_lines_must_be_theirs_though_it_is_signed() -> None:
    document = json.loads(example()[1])
    document["lines_root"] = "00" * 32
    assert refused(canonical(document)).where == "lines_root"


@pytest.mark.parametrize("end", [0, 1, 100, 1000, -1])
def test_a_truncated_statement_is_refused(end: int) -> None:
    assert refused(example()[1][:end]).where == "document"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b"5",
        b"\xff",
        b"[" * 200_000,
        b'{"v":1}',
        b'{"v":1,"x":"\\ud800"}',
        b'{"v":1,"x":NaN}',
        b'{"v":1,"x":' + b"9" * 5_000 + b"}",
        b'{"lines":[1],"partner":"a","v":1}',
        b'{"lines":[],"partner":"a","v":1.0}',
    ],
    ids=lambda content: repr(content[:30]),
)
def test_what_is_no_statement_is_refused(content: bytes) -> None:
    assert refused(content).where == "document"


def test_a_statement_is_kept_as_it_was_sent() -> None:
    _, content, _ = example()
    document = json.loads(content)
    for other in (
        json.dumps(document, indent=1).encode(),
        content + b"\n",
        b" " + content,
        content.decode().encode("utf-16"),
        json.dumps(dict(reversed(document.items())), separators=(",", ":")).encode(),
        content.replace(b'"v":1', b'"v":1,"v":1'),
        content.replace(b'"acorn"', b'"\\u0061corn"', 1),
        content.replace(b'"v":1', b'"v":1.0'),
    ):
        assert other != content
        assert refused(other).where == "document"


@pytest.mark.parametrize("value", [str.upper, lambda value: f" {value}", lambda value: value[:-2], lambda value: "zz"])
def test_a_signature_has_one_spelling(value: Callable[[str], str]) -> None:
    document = json.loads(example()[1])
    document["signature"]["value"] = value(document["signature"]["value"])
    assert refused(canonical(document)).where in ("signature", "document")


def test_nothing_stands_beside_the_signature() -> None:
    document = json.loads(example()[1])
    document["signature"]["note"] = "x"
    assert refused(canonical(document)).where == "signature"


def test_another_key_does_not_verify_it() -> None:
    assert refused(example()[1], STRANGER).where == "signature"


def test_a_document_without_a_signature_is_refused() -> None:
    document = json.loads(example()[1])
    del document["signature"]
    assert refused(canonical(document)).where == "document"


def test_checkpoints_of_a_foreign_ledger_are_refused() -> None:
    assert refused(example()[1], checkpoint_key=STRANGER).where == "checkpoint 1"


def test_a_checkpoint_that_the_ledger_did_not_sign_is_refused_though_the_operator_signed_it() -> None:
    paper = example()[2]
    content = resigned(lambda document: document["to_checkpoint"].update(entry_count=99))
    assert verify(content, PUBLIC_KEY).window == 2, "without the ledger's key nobody can tell"
    assert refused(content, checkpoint_key=paper.public_key).where == "checkpoint 2"


def move(name: str) -> Callable[[Document], object]:
    """A part of the older checkpoint put into the younger one."""
    return lambda document: document["to_checkpoint"].update({name: document["from_checkpoint"][name]})


@pytest.mark.parametrize(
    "change",
    [
        move("tree_root"),
        move("tree_signature"),
        lambda document: document["to_checkpoint"].update(tree_signature=document["to_checkpoint"]["signature"]),
        lambda document: document["to_checkpoint"].update(tree_signature=""),
        lambda document: document["to_checkpoint"].update(tree_root=""),
    ],
)
def test_trees_that_the_ledger_did_not_sign_are_refused_though_the_operator_signed_them(
    change: Callable[[Document], object],
) -> None:
    assert refused(resigned(change), checkpoint_key=example()[2].public_key).where == "checkpoint 2"


def test_half_of_a_tree_is_refused() -> None:
    content = resigned(lambda document: document["to_checkpoint"].pop("tree_signature"))
    assert refused(content, checkpoint_key=example()[2].public_key).where == "document"
    content = resigned(lambda document: document["to_checkpoint"].pop("tree_root"))
    assert refused(content, checkpoint_key=example()[2].public_key).where == "document"


def test_a_partner_builds_the_root_over_its_own_entries() -> None:
    _, content, paper = example()
    line = json.loads(content)["lines"][0]
    own = [(0, 2, -31, paper.buckets[0][1].hash)]
    assert entries_root(own).hex() == line["entries_root"]


def pem(key: Ed25519PrivateKey | X25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_a_key_is_read_from_its_pem_file() -> None:
    assert public_key(pem(STATEMENT_KEY)) == PUBLIC_KEY


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff", pem(X25519PrivateKey.generate()), PUBLIC_KEY])
def test_what_is_no_ed25519_key_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        public_key(content)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    _, content, paper = example()
    (tmp_path / "statement.json").write_bytes(content)
    (tmp_path / "operator.pub").write_bytes(pem(STATEMENT_KEY))
    (tmp_path / "ledger.pub").write_bytes(pem(paper.key))
    return tmp_path


def test_it_runs_on_python_alone(files: Path) -> None:
    """Without site-packages, without our other modules: two files of ours and the standard library."""
    protos = Path(module.__file__).parents[2]
    words = ["statement.json", "--key", "operator.pub", "--checkpoint-key", "ledger.pub"]
    command = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(protos)!r})\n{_RUN}", *words]
    told = subprocess.run(command, capture_output=True, text=True, check=False, cwd=files)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout == "verified: acorn, window 2, 3 lines, net 0.12 EUR, 2 checkpoints signed\n"


_RUN = "from coalition.statements.verify import main; sys.exit(main(sys.argv[1:]))"


def test_its_exit_codes_tell_good_from_bad_from_unreadable(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    statement, key = str(files / "statement.json"), str(files / "operator.pub")
    assert main([statement, "--key", key]) == 0
    assert main([statement, "--key", str(files / "ledger.pub")]) == 1
    assert capsys.readouterr().err == "NOT VERIFIED: signature: it was made with another key than the one given\n"
    assert main([statement, "--key", statement]) == 2
    assert main([str(files / "nowhere"), "--key", key]) == 2
    assert main([str(files), "--key", key]) == 2
    assert capsys.readouterr().err.count("cannot read: ") == 3


def test_what_was_not_checked_is_said() -> None:
    assert sentence(Verified("a", 1, 0, {}, 0)) == "verified: a, window 1, 0 lines, net 0, checkpoints not checked"
