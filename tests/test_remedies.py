"""Every remedy can be followed: an option that a program names is one that it has."""

import argparse
import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from trainer.cli import make_parser as trainer_parser
from tui.commands.parser import build_parser as photinus_parser

ROOT = Path(__file__).parents[1]
OPTION = re.compile(r"(?<![\w/-])--[a-z][a-z-]+")
COMMAND = re.compile(r"\bphotinus (?!hosts\b)([a-z]+)((?: [^\s;,()`'\"]+)*)")
# Of the agent and the supervisor, which nobody types.
FOREIGN = {"--contact", "--home", "--run-dir", "--attempt", "--lock-fds", "--adopt"}


def parsers(root: argparse.ArgumentParser, name: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    yield name, root
    for action in root._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, below in action.choices.items():
                yield from parsers(below, f"{name} {word}".strip())


def options(root: argparse.ArgumentParser) -> set[str]:
    return {word for _, one in parsers(root) for action in one._actions for word in action.option_strings}


@cache
def texts(folder: str) -> tuple[tuple[Path, str], ...]:
    """What a program may say: the texts of its source but for docstrings, patterns and options."""
    found: list[tuple[Path, str]] = []
    for path in sorted((ROOT / folder).rglob("*.py")):
        silent: set[int] = set()
        constants: list[ast.Constant] = []
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Expr):
                silent.add(id(node.value))
            elif isinstance(node, ast.Call) and _defines(node):
                silent |= {id(word) for word in node.args} | {id(one.value) for one in node.keywords}
            elif isinstance(node, ast.List | ast.Tuple):  # an argument vector of another program
                silent |= {id(word) for word in node.elts}
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) > 2:
                constants.append(node)
        found += [(path.relative_to(ROOT), str(one.value)) for one in constants if id(one) not in silent]
    return tuple(found)


def _defines(node: ast.Call) -> bool:
    """Whether its texts define an option, or are a pattern that is searched for and never said."""
    own = ("add_argument", "add_command", "compile")
    return isinstance(node.func, ast.Attribute) and node.func.attr in own


def unknown(folder: str, known: set[str]) -> list[str]:
    return [
        f"{path}: {word} in {text!r}"
        for path, text in texts(folder)
        for word in OPTION.findall(text)
        if word not in known | FOREIGN
    ]


@pytest.mark.parametrize("folder", ["tui", "remote/actions", "remote/agent", "remote/supervisor"])
def test_what_photinus_says_it_has(folder: str) -> None:
    assert unknown(folder, options(photinus_parser())) == []


def test_what_the_trainer_says_one_of_the_two_programs_has() -> None:
    assert unknown("trainer", options(photinus_parser()) | options(trainer_parser())) == []


def wrong_commands(text: str, found: dict[str, argparse.ArgumentParser]) -> Iterator[str]:
    """What a text says of `photinus VERB --option` that is not so."""
    for verb, words in COMMAND.findall(text):
        if verb not in found:
            if f"`photinus {verb}`" in text:
                yield f"no command {verb} in {text!r}"
            continue
        own = {word for action in found[verb]._actions for word in action.option_strings}
        yield from (f"{verb} has no {word} in {text!r}" for word in OPTION.findall(words) if word not in own)


def test_a_command_that_is_named_is_there_and_has_its_options() -> None:
    found = dict(parsers(photinus_parser()))
    folders = ("tui", "remote", "trainer")
    said = ((path, text) for folder in folders for path, text in texts(folder))
    assert [f"{path}: {wrong}" for path, text in said for wrong in wrong_commands(text, found)] == []
    assert list(wrong_commands("photinus resume RUN --set steps=N", found)) == []
    assert list(wrong_commands("photinus resume RUN --fresh", found)) != []


def test_control_an_option_that_nobody_has_is_found() -> None:
    assert "--fresh" not in options(photinus_parser())
    assert "--fresh" in options(trainer_parser())
    assert unknown("trainer", {"--set"}) != []
