"""The line at the top and the line of keys at the bottom."""

from collections.abc import Callable
from typing import ClassVar

from rich.console import RenderableType
from rich.text import Text
from textual.widget import Widget

from tui.keys import PLACES, Key, Where, keys_of
from tui.store.facts import link_fact
from tui.store.store import Store
from tui.theme import DIM, FAINT, PLAIN, STRONG, hue
from tui.widgets.lines import Part, line


class TopBar(Widget):
    """Which screen this is, and the link of every host."""

    DEFAULT_CSS: ClassVar[str] = "TopBar { height: 1; background: $surface; }"

    def __init__(self, where: Where) -> None:
        super().__init__(id="top")
        self._where = where
        self._shown = Text()

    def show(self, store: Store, now: float) -> None:
        """Take the newest facts."""
        parts: list[Part] = [(" ✦ ", hue("amber")), ("Photinus", STRONG), ("  ", PLAIN)]
        for number, (where, title) in enumerate(PLACES.items(), 1):
            here = where == self._where
            parts += [
                (f" {number} ", hue("blue") if here else FAINT),
                (title, STRONG if here else DIM),
                (" ", PLAIN),
            ]
        links: list[Part] = []
        for host in store.hosts.values():
            fact = link_fact(host, now)
            links += [
                (f"  {host.name} ", DIM),
                (f"{fact.glyph} {fact.word}", hue(fact.colour)),
                (f" {fact.detail}", DIM),
            ]
        left, right = line(*parts), line(*links, (" ", PLAIN))
        room = self.size.width - left.cell_len - right.cell_len
        shown = line(*parts, (" " * room, PLAIN), *links) if room > 0 else left
        if shown != self._shown or shown.spans != self._shown.spans:
            self._shown = shown
            self.refresh()

    def render(self) -> RenderableType:
        """The line."""
        return self._shown


class KeyBar(Widget):
    """The keys of this screen, as many as fit; those that cannot act now recede."""

    DEFAULT_CSS: ClassVar[str] = "KeyBar { height: 1; dock: bottom; background: $surface; }"

    def __init__(self, where: Where) -> None:
        super().__init__(id="keys")
        self._keys = [key for key in keys_of(where) if key.rank]
        self._blocked: frozenset[str] = frozenset()

    def show(self, why_not: Callable[[str], str]) -> None:
        """Ask of every key whether its action is possible; `why_not(action)` is empty where it is."""
        blocked = frozenset(key.action for key in self._keys if why_not(key.action))
        if blocked != self._blocked:
            self._blocked = blocked
            self.refresh()

    def fitting(self, width: int) -> list[Key]:
        """The keys that fit, the least important dropped first, in the table's order."""
        kept: list[Key] = []
        used = 1
        for key in sorted(self._keys, key=lambda key: key.rank):
            used += len(key.shown) + len(key.label) + 3
            if used > width:
                break
            kept.append(key)
        return [key for key in self._keys if key in kept]

    def render(self) -> RenderableType:
        """The line."""
        parts: list[Part] = [(" ", PLAIN)]
        for key in self.fitting(self.size.width):
            off = key.action in self._blocked
            parts += [
                (key.shown, FAINT if off else hue("blue", bold=True)),
                (f" {key.label}  ", FAINT if off else DIM),
            ]
        return line(*parts)
