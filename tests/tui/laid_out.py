"""What is wrong with the layout of the screen in front: cut, overlapping, or a panel with nothing in it."""

from collections.abc import Iterator
from itertools import combinations

from textual.containers import ScrollableContainer
from textual.geometry import Region
from textual.scroll_view import ScrollView
from textual.widget import Widget

from tests.tui.driving import picture
from tui.app import Cockpit
from tui.widgets.panel import Panel

LARGE = 3  # lines: a line may be kept free for what comes and goes
CORNER = ("ToastRack", "ToastHolder", "Toast", "Tooltip", "_SystemTooltip")


def layout_faults(app: Cockpit) -> list[str]:
    """A sentence for each; only what stands on the screen in front is looked at, and only screens of ours."""
    if not type(app.screen).__module__.startswith("tui."):
        return []
    return [*_cut(app), *_overlaps(app), *_empty(app)]


def _shown(app: Cockpit) -> list[Widget]:
    return [
        one
        for one in app.screen.walk_children(Widget)
        if one.display and one.visible and type(one).__name__ not in CORNER and _is_seen(one)
    ]


def _is_seen(one: Widget) -> bool:
    return all(above.display for above in one.ancestors if isinstance(above, Widget))


def _scrolls(one: Widget) -> bool:
    """Whether what is outside is reached by scrolling."""
    return any(isinstance(above, ScrollView | ScrollableContainer) for above in one.ancestors)


def _cut(app: Cockpit) -> Iterator[str]:
    """What lies outside the screen, or outside what holds it; and what was given no room at all."""
    whole = Region(0, 0, *app.size)
    for one in _shown(app):
        if _scrolls(one) or not isinstance(one.parent, Widget):
            continue
        if not one.region.area:
            wants = (
                one.styles.height is not None and one.styles.height.value and not one.styles.is_auto_height
            )
            if wants and one.styles.max_height is None:
                yield f"{one!r} has no room"
        elif not whole.contains_region(one.region):
            yield f"{one!r} is cut by the screen: {one.region}"
        elif not one.parent.region.contains_region(one.region) and one.styles.dock == "none":
            yield f"{one!r} is cut by {one.parent!r}: {one.region} in {one.parent.region}"


def _overlaps(app: Cockpit) -> Iterator[str]:
    """Two that stand beside one another and share a cell."""
    beside: dict[object, list[Widget]] = {}
    for one in _shown(app):
        if one.region.area and one.styles.overlay == "none" and one.layer == "default":
            beside.setdefault(one.parent, []).append(one)
    for those in beside.values():
        for one, other in combinations(those, 2):
            if one.region.overlaps(other.region):
                yield f"{one!r} and {other!r} share {one.region.intersection(other.region)}"


def _empty(app: Cockpit) -> Iterator[str]:
    """A panel, a table or a list of some lines in which no cell has anything."""
    rows = [row.ljust(app.size.width) for row in picture(app).split("\n")]
    rows += [" " * app.size.width] * (app.size.height - len(rows))
    for one in _shown(app):
        if not isinstance(one, Panel | ScrollView) or min(one.region.size) < LARGE:
            continue
        x, y, width, height = one.region
        if not any(row[x : x + width].strip() for row in rows[y : y + height]):
            yield f"{one!r} is empty: {one.region}"
