"""What was checked is remembered for a while, and not for ever."""

from __future__ import annotations

from shared.credentials.remembered import Remembered


def test_the_latest_are_remembered_and_the_oldest_forgotten() -> None:
    remembered = Remembered[int, str](10)
    for number in range(100):
        remembered.put(number, str(number))
    assert all(remembered.get(number) == str(number) for number in range(90, 100))
    assert all(remembered.get(number) is None for number in range(70))


def test_what_is_asked_for_stays() -> None:
    remembered = Remembered[int, str](10)
    remembered.put(-1, "kept")
    for number in range(100):
        remembered.put(number, "")
        assert remembered.get(-1) == "kept"
