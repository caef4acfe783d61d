"""Every command is one word, spelled once in the Makefile and told to the reader."""

import re

from tests.architecture.sources import ROOT

WORDS = re.findall(r"^([a-z-]+):[^=\n]*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
WRITTEN_BY_RULES = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
STEPS = {"platform", "development"}  # what words share; nobody types them


def test_every_word_says_what_it_does() -> None:
    assert set(WRITTEN_BY_RULES) - STEPS == set(WORDS)


def test_the_readme_lists_every_word() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [word for word in WORDS if word != "help" and not re.search(rf"\bmake {word}`", readme)] == []


def test_ci_and_the_hooks_are_lists_of_words() -> None:
    scripts = [ROOT / ".ci/run", *(ROOT / ".githooks").iterdir()]
    called = {
        word for script in scripts for word in re.findall(r"^(?:exec )?make ([\w-]+)", script.read_text(), re.MULTILINE)
    }
    assert called <= set(WORDS)
    assert "test" in re.findall(r"^make ([\w-]+)", (ROOT / ".ci/run").read_text(), re.MULTILINE)
