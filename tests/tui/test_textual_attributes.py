"""No attribute of ours shadows one of Textual's: a field that both set is renamed behind the other's back."""

import ast
import importlib
import inspect
import pkgutil
import textwrap
from collections.abc import Iterator
from functools import cache

import pytest
from textual.message_pump import MessagePump
from textual.widget import Widget

import tui


def our_classes() -> list[type]:
    """Every class of the cockpit that stands on one of Textual's."""
    found: list[type] = []
    for info in pkgutil.walk_packages(tui.__path__, "tui."):
        if info.name.endswith("__main__"):
            continue
        module = importlib.import_module(info.name)
        classes = [one for one in vars(module).values() if inspect.isclass(one)]
        found += [one for one in classes if issubclass(one, MessagePump) and one.__module__ == info.name]
    return found


@cache
def set_by(owner: type) -> frozenset[str]:
    """Names that the methods of a class, without its bases, put on `self`."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(owner)))
    except (OSError, TypeError):
        return frozenset()
    return frozenset(
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    )


def shadows(owner: type) -> Iterator[str]:
    """Private names that a class of ours sets and a class of somebody else below it sets, too."""
    for base in owner.__mro__[1:]:
        if not base.__module__.startswith("tui."):
            theirs = set_by(base) | {name for name in vars(base) if not name.startswith("__")}
            yield from (
                f"{owner.__name__}.{name} is {base.__name__}'s"
                for name in set_by(owner) & theirs
                if name.startswith("_")
            )


def test_no_private_name_of_ours_is_one_of_textuals() -> None:
    owners = our_classes()
    assert len(owners) >= 15
    assert [said for owner in owners for said in shadows(owner)] == []


@pytest.mark.parametrize("name", ["_name", "_id", "_size"])
def test_a_name_of_textuals_would_be_noticed(name: str) -> None:
    assert name in {one for base in Widget.__mro__ for one in set_by(base) | set(vars(base))}


class Renamed(Widget):
    """As the confirmation dialog once was."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name


def test_a_dialog_that_renames_its_widget_would_be_noticed() -> None:
    assert list(shadows(Renamed)) == ["Renamed._name is DOMNode's"]
