"""The offline checker as one file that needs nothing but Python: what an auditor can read in one go and keep."""

from __future__ import annotations

from pathlib import Path

_PARTS = ("ed25519", "lines", "verify", "archive", "pack")
_HEADER = '''"""Checks statements and evidence packs of a Coalition programme offline. One file, standard library only.

    python verify.py FILE.json --key operator.pub --checkpoint-key ledger.pub      a statement
    python verify.py FILE.zip  --key operator.pub --checkpoint-key ledger.pub      an evidence pack
"""

from __future__ import annotations
'''
_FOOTER = """

def main_of_both(arguments: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    return pack_main(given) if any(one.endswith(".zip") for one in given) else verify_main(given)


if __name__ == "__main__":
    sys.exit(main_of_both())
"""


def source() -> bytes:
    """The one file. It follows from the modules alone, so it is the same for everybody with this release."""
    folder = Path(__file__).parent
    parts = [_HEADER]
    for name in _PARTS:
        text = (folder / f"{name}.py").read_text(encoding="utf-8")
        parts.append(f"\n\n# ---- {name} ----\n" + _inlined(text, name))
    return ("".join(parts) + _FOOTER).encode()


def _inlined(text: str, name: str) -> str:
    body = text.partition("from __future__ import annotations\n")[2].partition('\nif __name__ == "__main__":')[0]
    lines = [line for line in body.splitlines() if not line.startswith("from coalition.")]
    return "\n".join(lines).replace("def main(", f"def {name}_main(").rstrip() + "\n"
