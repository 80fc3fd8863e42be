"""Every number that is typed has a range, and one outside of it is told with that and with its option."""

import argparse
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.remote.finished_runs import history
from tui.cli import main
from tui.commands.parser import build_parser

ABSURD = ["-1e9", "-1", "nan", "inf", "-inf", "1e400", "1e308", "1" + "0" * 30, "1" * 5000, "", "x", "\u00b2"]


BEFORE = {
    **{name: ["a-run"] for name in ("reap", "show", "stop", "kill", "resume", "pull", "save")},
    "move": ["a-run", "box"],
    "checkpoints": ["a-run"],
    "feed": ["a-run"],
    "progress commit": ["a-folder"],
}
"""What a command wants in front of its options."""


def numbers(parser: argparse.ArgumentParser, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Command and option of everything that is read as a number."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, sub in action.choices.items():
                yield from numbers(sub, (*path, name))
        elif action.type not in (None, Path):
            yield " ".join(path), (action.option_strings or [action.dest])[-1]


NUMBERS = list(numbers(build_parser()))


def parse(words: list[str]) -> argparse.Namespace:
    """As `photinus` does."""
    return build_parser(words).parse_args(words)


def test_the_control_they_are_found() -> None:
    assert {("ls", "--last"), ("reap", "pid"), ("stop", "--deadline"), ("start", "--on-stall")} <= {*NUMBERS}


@pytest.mark.parametrize(("command", "option"), NUMBERS)
def test_an_absurd_number_is_refused_with_its_range(
    command: str, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = BEFORE.get(command, [])
    for text in ABSURD:
        words = [f"{option}={text}"] if option.startswith("-") else ["--", *before, text]
        with pytest.raises(SystemExit) as caught:
            parse([*command.split(), *(before if "--" not in words else []), *words])
        said = capsys.readouterr().err
        assert caught.value.code == 2, (command, option, text)
        assert option in said
        assert any(f" from {least} to " in said for least in (0, 1, 2))
        assert len(said.splitlines()[-1]) < 300


@pytest.mark.parametrize(("command", "option"), NUMBERS)
def test_control_a_number_that_is_meant_is_taken(command: str, option: str) -> None:
    before = BEFORE.get(command, [])
    words = [f"{option}=7"] if option.startswith("-") else ["7"]
    parsed = vars(parse([*command.split(), *before, *words]))
    assert any(
        value == 7 and math.isfinite(value) for value in parsed.values() if isinstance(value, int | float)
    )


def test_a_list_of_none_does_not_say_that_there_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "home"))
    assert main(["ls", "--last", "0"]) == 0
    assert "no runs" not in capsys.readouterr().err
    assert main(["ls"]) == 0
    assert "no runs on local yet" in capsys.readouterr().err, "the control"
    history(tmp_path / "home", 2)
    assert main(["ls", "--last", "0"]) == 0
    said = capsys.readouterr().err
    assert "2 more runs that are over are not listed" in said
    assert "no runs" not in said
