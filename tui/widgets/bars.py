"""The line at the top and the line of keys at the bottom."""

from collections.abc import Callable
from typing import ClassVar

from rich.console import RenderableType
from rich.text import Text
from textual.widget import Widget

from trainer.telemetry.bands import Colour
from tui.keys import PLACES, Key, Where, keys_of
from tui.store.facts import link_fact
from tui.store.store import Store
from tui.theme import DIM, FAINT, PLAIN, STRONG, hue
from tui.widgets.lines import Part, line

LINKS = 14  # cells that are kept free for the links


class TopBar(Widget):
    """Which screen this is, and the link of every host."""

    DEFAULT_CSS: ClassVar[str] = "TopBar { height: 1; background: $surface; }"

    def __init__(self, where: Where) -> None:
        super().__init__(id="top")
        self._where = where
        self._shown = Text()

    def show(self, store: Store, now: float, *, read_only: bool = False, replay: str = "") -> None:
        """Take the newest facts."""
        parts: list[Part] = [(" ✦ ", hue("amber")), ("Photinus", STRONG), ("  ", PLAIN)]
        if read_only:
            parts.append(("read-only ", hue("amber", bold=True)))
        if replay:
            parts.append((f"◂ {replay} ", hue("violet", bold=True)))
        tabs = self._tabs(titled=True)
        if line(*parts, *tabs).cell_len > self.size.width - LINKS:
            tabs = self._tabs(titled=False)
        parts += tabs
        left = line(*parts)
        shown = left
        for links in (_each(store, now), _counted(store, now), _counted(store, now, worded=False)):
            room = self.size.width - left.cell_len - line(*links).cell_len - 1
            if room > 0:
                shown = line(*parts, (" " * room, PLAIN), *links)
                break
        if shown != self._shown or shown.spans != self._shown.spans:
            self._shown = shown
            self.refresh()

    def _tabs(self, *, titled: bool) -> list[Part]:
        """The screens; where there is no room only the one in front has its title."""
        parts: list[Part] = []
        for where, (number, title) in PLACES.items():
            here = where == self._where
            parts.append((f" {number} ", hue("blue") if here else FAINT))
            if here or titled:
                parts += [(title, STRONG if here else DIM), (" ", PLAIN)]
        return parts

    def render(self) -> RenderableType:
        """The line."""
        return self._shown


def _each(store: Store, now: float) -> list[Part]:
    """The link of every host."""
    parts: list[Part] = []
    for host in store.hosts.values():
        fact = link_fact(host, now)
        parts += [(f"  {host.name} ", DIM), (f"{fact.glyph} {fact.word}", hue(fact.colour))]
        parts.append((f" {fact.detail}" if fact.detail else "", DIM))
    return parts


def _counted(store: Store, now: float, *, worded: bool = True) -> list[Part]:
    """How many links are how, the gravest first."""
    order = ("red", "amber", "blue", "green")
    found: dict[tuple[str, str, Colour], int] = {}
    for host in store.hosts.values():
        fact = link_fact(host, now)
        word = {"retrying": "retrying", "connecting": "connecting"}.get(host.link.phase, fact.word)
        kind = (fact.glyph, word, fact.colour)
        found[kind] = found.get(kind, 0) + 1
    ranked = sorted(found.items(), key=lambda item: order.index(item[0][2]) if item[0][2] in order else 9)
    parts: list[Part] = []
    for (glyph, word, colour), count in ranked:
        parts.append((f"  {count} {glyph} {word}" if worded else f" {count}{glyph}", hue(colour)))
    return parts


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
