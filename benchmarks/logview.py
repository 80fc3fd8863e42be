"""Log lines taken in, and one screen of the log view painted after each slice."""

import asyncio
import time

from textual.app import App, ComposeResult

from benchmarks.figures import Figure, report
from tui.store.log_ring import LogRing
from tui.widgets.log.log_view import LogView

LINES = 200_000
BARE = "decode().splitlines()"
CHUNK = 64 * 1024
PLAIN = b"    20 |  56.769 |  56.660 |  0.1086 | 0.0566 |   0.878 |   16.009\n"
RICH = "💾 \x1b[32mCheckpoint\x1b[0m @ Step 400 – saved ∅ ☾ ⚖ 🌀\n".encode()


def split(line: bytes) -> float:
    """Seconds to decode and split the same bytes and nothing more."""
    data = line * LINES
    begun = time.perf_counter()
    assert len(data.decode().splitlines()) >= LINES
    return time.perf_counter() - begun


def taken(line: bytes) -> float:
    """Seconds for LINES lines in chunks as they come off a wire."""
    data = line * LINES
    ring = LogRing()
    begun = time.perf_counter()
    for start in range(0, len(data), CHUNK):
        ring.feed(data[start : start + CHUNK])
    assert len(ring) == LINES
    return time.perf_counter() - begun


class Bench(App[None]):
    """A log view and nothing else."""

    def compose(self) -> ComposeResult:
        """The view."""
        yield LogView()


async def shown() -> tuple[float, int]:
    """Seconds to take LINES lines with the view following, and the frames painted meanwhile."""
    app = Bench()
    async with app.run_test(size=(160, 50)) as pilot:
        view, ring, data = app.query_one(LogView), LogRing(), PLAIN * LINES
        frames, begun = 0, time.perf_counter()
        for start in range(0, len(data), 16 * CHUNK):
            for offset in range(start, min(start + 16 * CHUNK, len(data)), CHUNK):
                ring.feed(data[offset : offset + CHUNK])
            view.show(ring)
            await pilot.pause()
            frames += 1
        return time.perf_counter() - begun, frames


def main() -> None:
    """Measure."""
    plain, rich = min(taken(PLAIN) for _ in range(3)), min(taken(RICH) for _ in range(3))
    shown_s, frames = asyncio.run(shown())
    report(
        [
            Figure(
                "200k log lines into the ring",
                plain,
                "s",
                2.0,
                n=3,
                baseline=BARE,
                ratio=plain / split(PLAIN),
            ),
            Figure(
                "200k log lines with emoji and escapes",
                rich,
                "s",
                2.0,
                n=3,
                baseline=BARE,
                ratio=rich / split(RICH),
            ),
            Figure(f"200k log lines, followed by a view ({frames} frames)", shown_s, "s", 2.0),
        ]
    )


if __name__ == "__main__":
    main()
