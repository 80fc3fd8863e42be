"""The cockpit in a real pseudo-terminal, read back cell by cell by a terminal emulator.

Textual's own screenshot is always truecolor; what a person sees depends on TERM and COLORTERM.
"""

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyte

PATIENCE_S = 60.0
SCENE_S = 120.0
STOOD_IN = ("TERM", "COLORTERM", "NO_COLOR", "COLUMNS", "LINES")
LEAVING = re.compile(rb"\x1b\[(?:<u|\?1049l)")  # what is written before the terminal is as it was


@dataclass(frozen=True, slots=True)
class Seen:
    """What stands on the screen: its text, and the ground of each cell."""

    lines: tuple[str, ...]
    grounds: tuple[tuple[str, ...], ...]
    inks: frozenset[str]

    @property
    def text(self) -> str:
        """The screen as plain text."""
        return "\n".join(self.lines)

    def share(self, ground: str) -> float:
        """The part of all cells that has this ground."""
        cells = [one for row in self.grounds for one in row]
        return cells.count(ground) / len(cells)


def seen(script: Path, until: tuple[str, ...], size: tuple[int, int], *args: str, **terminal: str) -> Seen:
    """Run a script on a terminal of this kind until these texts stand on the screen.

    Raises:
        AssertionError: they did not come.
    """
    width, height = size
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name not in STOOD_IN}
    program = subprocess.Popen(
        [sys.executable, str(script), *args], stdin=follower, stdout=follower, stderr=follower,
        env=kept | terminal, start_new_session=True,
    )  # fmt: skip
    os.close(follower)
    screen = pyte.Screen(width, height)
    stream = pyte.ByteStream(screen)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not all(text in "\n".join(screen.display) for text in until):
            assert time.monotonic() < deadline, "\n".join(screen.display)
            if select.select([leader], [], [], 1.0)[0]:
                stream.feed(os.read(leader, 1 << 16))
        os.write(leader, b"q")  # so that the frame of which these texts are a part comes to its end
        stream.feed(LEAVING.split(_rest(leader))[0])
    finally:
        program.kill()
        program.wait()
        os.close(leader)
    return _seen_on(screen)


def each_scene(
    script: Path, folder: Path, every: int, size: tuple[int, int], *args: str, **terminal: str
) -> Iterator[tuple[str, Seen, str]]:
    """Run a script that paints scenes: the name of each, what the terminal shows, and what was meant.

    Raises:
        AssertionError: a scene did not come, or the script failed.
    """
    width, height = size
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name not in STOOD_IN}
    program = subprocess.Popen(
        [sys.executable, str(script), str(folder), str(every), *args], stdin=follower, stdout=follower,
        stderr=follower, env=kept | terminal, start_new_session=True,
    )  # fmt: skip
    os.close(follower)
    screen = pyte.Screen(width, height)
    stream = pyte.ByteStream(screen)
    done: set[str] = set()
    deadline = time.monotonic() + SCENE_S
    try:
        while program.poll() is None:
            assert time.monotonic() < deadline, "\n".join(screen.display)
            if not select.select([leader], [], [], 0.2)[0]:
                continue
            try:
                stream.feed(os.read(leader, 1 << 16))
            except OSError:  # Linux reports the other side's end as EIO
                break
            name = screen.title
            if name and name not in done and (folder / f"{name}.txt").exists():
                done.add(name)
                yield name, _seen_on(screen), (folder / f"{name}.txt").read_text(encoding="utf-8")
                (folder / f"{name}.seen").touch()
                deadline = time.monotonic() + SCENE_S
        assert program.wait(SCENE_S) == 0, "\n".join(screen.display)
    finally:
        program.kill()
        program.wait()
        os.close(leader)


def _seen_on(screen: pyte.Screen) -> Seen:
    cells = [[screen.buffer[y][x] for x in range(screen.columns)] for y in range(screen.lines)]
    return Seen(
        tuple(screen.display),
        tuple(tuple(cell.bg for cell in row) for row in cells),
        frozenset(cell.fg for row in cells for cell in row),
    )


def _rest(leader: int) -> bytes:
    """Everything up to the end of the program."""
    parts = []
    with contextlib.suppress(OSError):  # Linux reports the other side's end as EIO
        while part := os.read(leader, 1 << 16):
            parts.append(part)
    return b"".join(parts)
