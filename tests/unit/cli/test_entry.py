"""How `mcu` tells what goes wrong: one line, no traceback, and an exit code."""

import sys

import pytest

from mcu.cli import entry
from mcu.errors import Unavailable


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (Unavailable("no worker lives: wait"), 1, "mcu: no worker lives: wait\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_what_is_expected_to_go_wrong_is_one_line(
    error: BaseException, code: int, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(entry, "cli", fail)
    with pytest.raises(SystemExit) as ended:
        entry.main()
    assert (ended.value.code, capsys.readouterr().err) == (code, says)


def test_a_fault_of_ours_is_told_by_its_place_and_not_by_its_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise KeyError("Anna Canary")

    monkeypatch.setattr(entry, "cli", fail)
    with pytest.raises(SystemExit) as ended:
        entry.main()
    said = capsys.readouterr().err
    assert ended.value.code == 70
    assert said.startswith("mcu: a fault of the program (KeyError at ")
    assert said.count("\n") == 1
    assert "Anna" not in said


def test_without_a_command_the_commands_are_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["mcu"])
    with pytest.raises(SystemExit):
        entry.main()
    shown = capsys.readouterr()
    assert all(name in shown.out + shown.err for name in ("serve", "doctor", "token", "migrate", "meeting"))
