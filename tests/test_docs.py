"""The docs name only commands and options that exist."""

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tui.commands.parser import build_parser

ROOT = Path(__file__).parents[1]
PAGES = ("docs/old-habits.md", "docs/doctor.md", "docs/transfer.md", "docs/alerts.md")
SPOKEN = re.compile(r"`((?:photinus) [^`]+)`")


def commands_of(page: str) -> Iterator[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    yield from SPOKEN.findall(text)
    for block in re.findall(r"```\n(.*?)```", text, re.DOTALL):
        yield from (line for line in block.splitlines() if line.startswith("photinus "))


def parsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Every subcommand, by its words."""
    found: dict[str, argparse.ArgumentParser] = {"": parser}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                for words, deeper in parsers(below).items():
                    found[f"{name} {words}".strip()] = deeper
    return found


def trouble(command: str) -> str:
    """What of it does not exist; empty where all does."""
    known = parsers(build_parser())
    words = shlex.split(command.replace("[", "").replace("]", ""))[1:]
    words = words[: words.index("--")] if "--" in words else words
    options = {option for parser in known.values() for option in parser._option_string_actions}
    plain = [word for word in words if not word.startswith("-")]
    name = next((" ".join(plain[:n]) for n in (2, 1) if " ".join(plain[:n]) in known and plain), "")
    if plain and not name and plain[0] not in ("COMMAND", "RUN"):
        return f"no command {plain[0]}"
    own = set(known[name]._option_string_actions) if name else options
    bad = [word for word in words if word.startswith("-") and word not in own | {"--read-only", "--version"}]
    return f"{name} has no option {bad[0]}" if bad else ""


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_the_page_names_exists(page: str) -> None:
    named = list(commands_of(page))
    assert len(named) > 8
    assert {command: why for command in named if (why := trouble(command))} == {}


def test_that_no_limit_is_set_is_said_where_a_run_is_started() -> None:
    said = " ".join(parsers(build_parser())["start"].format_help().split())
    assert "No limit of memory or processes is set" in said
    for page in ("docs/runs.md", "SECURITY.md"):
        assert "systemd-run --user --scope" in (ROOT / page).read_text(encoding="utf-8")


def test_the_check_above_would_notice() -> None:
    assert trouble("photinus frobnicate RUN")
    assert trouble("photinus stop --gently RUN")
    assert trouble("photinus hosts deploy NAME --nonsense")
    assert not trouble("photinus stop --deadline 60 RUN")
