"""State lives in one folder that belongs to its owner, and two commands never change it at once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from services.sandbox.home import Home, home_at, locked, made, read_json, write_json
from services.sandbox.refusals import FileDamaged, HomeUnusable


def test_the_argument_goes_before_the_environment_and_that_before_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COALITION_HOME", str(tmp_path / "environment"))
    assert home_at(tmp_path / "argument").root == tmp_path / "argument"
    assert home_at().root == tmp_path / "environment"
    monkeypatch.delenv("COALITION_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert home_at().root == tmp_path / ".coalition"


def test_every_folder_is_private(home: Home) -> None:
    folders = [home.root, *(path for path in home.root.iterdir() if path.is_dir())]
    assert len(folders) > 5
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}


def test_a_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HomeUnusable) as refused:
        made(Home(tmp_path / "file" / "home"))
    assert "--home" in refused.value.advice


def test_the_second_command_waits_for_the_first(home: Home) -> None:
    order: list[str] = []

    def second() -> None:
        with locked(home):
            order.append("second")

    with locked(home):
        waiting = threading.Thread(target=second)
        waiting.start()
        waiting.join(0.2)
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]


def test_what_is_written_is_read_again_and_private(home: Home) -> None:
    path = home.run / "x.json"
    write_json(path, {"pid": 7})
    assert read_json(path) == {"pid": 7}
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in home.run.iterdir()] == ["x.json"]


def test_nothing_is_nothing_and_rubbish_is_a_refusal(home: Home) -> None:
    assert read_json(home.run / "x.json") is None
    (home.run / "x.json").write_text("[1")
    with pytest.raises(FileDamaged):
        read_json(home.run / "x.json")
