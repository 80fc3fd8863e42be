"""Every screen and dialog at every size: nothing cut, over another or empty; every word there."""

from collections.abc import Callable

import pytest
from textual.widgets import Static

from tests.trials import trials
from tests.tui.driving import picture, settle
from tests.tui.laid_out import layout_faults
from tests.tui.staged import SCENES, SIZES, Scene, begin, go, home, staged
from tui.widgets.panel import Panel


def drawn_at(place: int) -> list[Scene]:
    """The scenes that are drawn at a size: all of them, or in the suite some."""
    step = trials(6, 1)
    return [scene for at, scene in enumerate(SCENES) if at % step == 2 * place % step]


@pytest.mark.chaos
@pytest.mark.claim("every screen and dialog is whole at every size")
async def test_every_screen_is_whole_at_every_size(record_property: Callable[[str, object], None]) -> None:
    faults: dict[tuple[str, tuple[int, int]], list[str]] = {}
    drawn = 0
    for place, size in enumerate(SIZES):
        app, local = staged()
        async with app.run_test(size=size) as pilot:
            await begin(pilot, app, local)
            for scene in drawn_at(place):
                await go(pilot, app, local, scene)
                text = picture(app)
                missing = [f"{word!r} is not there\n{text}" for word in scene.words if word not in text]
                if found := [*missing, *layout_faults(app)]:
                    faults[scene.name, size] = found
                drawn += 1
                await home(pilot, app)
    record_property("trials", drawn)
    assert faults == {}, "\n".join(f"{key}: {fault}" for key, those in faults.items() for fault in those)


async def test_a_panel_that_is_cut_empty_or_over_another_is_found() -> None:
    """The control."""
    app, local = staged()
    async with app.run_test(size=(100, 30)) as pilot:
        await begin(pilot, app, local)
        assert layout_faults(app) == []
        empty, cut = Panel("nothing"), Static("")
        await app.screen.mount(empty, cut)
        empty.styles.height = 4
        cut.styles.offset = (95, -2)
        cut.styles.width, cut.styles.height = 20, 1
        await settle(pilot, app)
        found = "\n".join(layout_faults(app))
        for word in ("is empty", "is cut by the screen", "share"):
            assert word in found, (word, found)
