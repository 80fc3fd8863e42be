"""The command line is made of the room that is asked for, and says the same as the whole of it."""

import argparse

import pytest

from tui.cli import COMMANDS
from tui.commands.parser import ROOMS, build_parser


def commands_of(parser: argparse.ArgumentParser) -> list[str]:
    """The names that follow `photinus`."""
    return [
        name
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for name in action.choices
    ]


def test_every_room_adds_the_commands_that_it_lists_and_each_is_carried_out() -> None:
    listed = [name for names, _ in ROOMS for name in names]
    assert len(listed) == len(set(listed)), "one command in two rooms"
    assert set(listed) == set(COMMANDS)
    for names, _ in ROOMS:
        for name in names:
            assert set(commands_of(build_parser([name]))) == set(names), name


def test_a_command_alone_is_read_and_helped_as_in_the_whole() -> None:
    whole = build_parser()
    assert set(commands_of(whole)) == set(COMMANDS)
    for words in (
        ["ls", "--last", "3"],
        ["--read-only", "stop", "a"],
        ["kill", "--every", "--yes"],
        ["queue"],
    ):
        assert build_parser(words).parse_args(words) == whole.parse_args(words)


@pytest.mark.parametrize("words", [["sotp"], ["x", "stop"], ["--theme", "light", "ls"], ["--help"], []])
def test_whoever_names_no_command_first_meets_all_of_them(words: list[str]) -> None:
    assert set(commands_of(build_parser(words))) == set(COMMANDS)
