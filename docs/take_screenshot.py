"""Make docs/cockpit.svg: the real cockpit on a real run of this machine, which has done so many steps.

usage: python docs/take_screenshot.py RUN_ID [STEPS]
"""

import asyncio
import re
import sys
import time
from pathlib import Path

from remote.hosts.host import LOCAL
from remote.session.session import Session
from tui.app import Cockpit

SIZE = (150, 44)
PATIENCE_S = 120.0
PICTURE = Path(__file__).with_name("cockpit.svg")


async def take(run_id: str, steps: int) -> None:
    """Open the cockpit without a terminal, wait for the step, save what it shows."""
    session = Session(LOCAL, telemetry_s=2.0)
    app = Cockpit([session], run_id)
    async with app.run_test(size=SIZE) as pilot:
        until = time.monotonic() + PATIENCE_S
        while (found := _step(app, run_id)) < steps:
            if time.monotonic() > until:
                sys.exit(
                    f"{run_id} is at step {found}: wait until it has passed {steps}, or name an earlier one"
                )
            await pilot.pause(0.25)
        await pilot.pause(3.0)
        PICTURE.write_text(without_remote_fonts(app.export_screenshot(title="photinus")), encoding="utf-8")
    session.close()


def _step(app: Cockpit, run_id: str) -> int:
    """How far the run is, -1 where it is not known."""
    return next((run.step or 0 for run in app.store.runs.values() if run.run_id == run_id), -1)


def without_remote_fonts(svg: str) -> str:
    """A reader of the README fetches nothing from a third party: the reader's own monospace font serves."""
    return re.sub(r"@font-face\s*{[^}]*}", "", svg)


if __name__ == "__main__":
    asyncio.run(take(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 300))
