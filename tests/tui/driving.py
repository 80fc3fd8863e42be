"""Driving the real application in tests: a picture of the screen, and the steps that every test takes."""

from textual.pilot import Pilot

from tests.tui.fake import FakeSession
from tui.app import Cockpit


def picture(app: Cockpit) -> str:
    """The screen as plain text."""
    width, height = app.size
    lines = app.screen._compositor.render_strips()
    return "\n".join(strip.crop(0, width).text.rstrip() for strip in lines[:height])


async def settle(pilot: Pilot[str], app: Cockpit) -> None:
    """Drain, paint, and let every message be handled."""
    app.tick()
    await pilot.pause()
    await pilot.pause()


def front(app: Cockpit) -> str:
    """The screen in front."""
    return type(app.screen).__name__


def toasts(app: Cockpit) -> list[str]:
    """What was said in the corner."""
    return [notification.message for notification in app._notifications]


async def press(pilot: Pilot[str], app: Cockpit, *keys: str) -> None:
    """Press keys, one after another, each seen by the screen that the last one led to."""
    for key in keys:
        await pilot.press(key)
        await settle(pilot, app)


def connected(*names: str) -> list[FakeSession]:
    """`local` and these hosts, as sessions that are still to connect."""
    return [FakeSession(name, address="" if name == "local" else name) for name in ("local", *names)]
