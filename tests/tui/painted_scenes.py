"""A program for a pseudo-terminal: one scene after the other, each until its answer lies in the folder.

`painted_scenes.py FOLDER EVERY [unsuited]`: each EVERYth scene. What it meant to paint lies in FOLDER as
`NAME.txt` once the terminal's title is NAME; `NAME.seen` lets it go on.
"""

import asyncio
import sys
from pathlib import Path

from textual.pilot import Pilot

from tests.tui.driving import picture, settle
from tests.tui.staged import SCENES, begin, go, home, staged

PATIENCE_S = 300.0
folder, every = Path(sys.argv[1]), int(sys.argv[2])
app, local = staged()
if "unsuited" in sys.argv:  # the cockpit of before: what it paints is rounded
    app.suit = lambda console: None  # type: ignore[method-assign]


async def play() -> None:
    pilot = Pilot(app)
    await begin(pilot, app, local)
    for scene in SCENES[::every]:
        await go(pilot, app, local, scene)
        app.refresh(layout=True)
        await settle(pilot, app)
        (folder / f"{scene.name}.txt").write_text(picture(app), encoding="utf-8")
        app.to_terminal(f"\x1b]2;{scene.name}\x07")
        async with asyncio.timeout(PATIENCE_S):
            while not (folder / f"{scene.name}.seen").exists():
                await asyncio.sleep(0.02)
        await home(pilot, app)
    app.exit()


def ended(task: "asyncio.Task[None]") -> None:
    if task.exception() is not None:
        app.exit(return_code=1)


def began() -> None:
    playing.append(asyncio.create_task(play()))
    playing[0].add_done_callback(ended)


playing: "list[asyncio.Task[None]]" = []
app.call_later(lambda: app.call_after_refresh(began))
app.run()
sys.exit(app.return_code or 0)
