"""The builder's voice and ears: lines to the client while there is one, signs of life, a note to stop."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias

ALIVE_S, LOOK_S = 5.0, 0.5
LAST_LINES = 6


class BuildError(Exception):
    """Why an environment cannot be built: a code of `remote.protocol.errors`, a sentence, a remedy."""

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.code, self.remedy = code, remedy


@dataclass(slots=True)
class Hit:
    """A sign in what a program printed: the first line with it, and the number of the last."""

    line: str
    last: int


Hits: TypeAlias = dict[re.Pattern[str], Hit]


def look_for(signs: Sequence[re.Pattern[str]], line: str, number: int, hits: Hits) -> None:
    """Note which of the signs are in line `number`."""
    for sign in signs:
        if sign.search(line):
            hits.setdefault(sign, Hit(line, number)).last = number


class ProgramFailed(Exception):  # noqa: N818  a program's ending, which its caller judges
    """A program ended with a code other than 0.

    Attributes:
        lines: the last that it printed. hits: where each sign stood in all that it printed.
    """

    def __init__(
        self,
        argv: Sequence[str],
        code: int,
        lines: Sequence[str],
        hits: Hits | None = None,
    ) -> None:
        super().__init__(f"{argv[0]} ended with code {code}")
        self.code, self.lines, self.hits = code, list(lines), dict(hits or {})


class Reporter:
    """Where the builder's words go. Safe to use from any thread; a client that is gone is no error."""

    def __init__(
        self, stop_note: Path | None = None, out: IO[str] | None = None, alive_s: float = ALIVE_S
    ) -> None:
        """`stop_note`: a file that the client makes when it wants the build to end."""
        self._stop_note, self._out, self._alive_s = stop_note, out or sys.stdout, alive_s
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._child: subprocess.Popen[bytes] | None = None
        self.is_cancelled = False

    def start(self) -> None:
        """Begin to give signs of life, and to look for the note."""
        threading.Thread(target=self._live, daemon=True).start()

    def tell(self, **message: Any) -> None:
        """One message to the client, if it is still there."""
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._out.write("\nphotinus-deploy " + json.dumps(message) + "\n")
            self._out.flush()

    def say(self, line: str) -> None:
        """A line of progress."""
        self.tell(say=line)

    def run(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        fds: Sequence[int] = (),
        *,
        quiet: bool = False,
        signs: Sequence[re.Pattern[str]] = (),
    ) -> list[str]:
        """Run a program to its end, told line by line (unless `quiet`); its last lines.

        `signs` are looked for in every line as it passes: what a program dies of it may say long before.

        Raises:
            Failed: it ended with another code than 0.
            BuildError: the client cancelled meanwhile.
            OSError: it cannot be run.
        """
        child = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(env),
            cwd="/",
            pass_fds=fds,
            start_new_session=True,
        )
        self._child = child
        last: deque[str] = deque(maxlen=LAST_LINES)
        hits: Hits = {}
        assert child.stdout is not None
        with child.stdout:
            for number, raw in enumerate(child.stdout):
                line = raw.decode("utf-8", "replace").strip()
                if line:
                    last.append(line)
                look_for(signs, line, number, hits)
                if line and not quiet:
                    self.say(line)
        code = child.wait()
        self._child = None
        if self.is_cancelled:
            raise self.cancelled()
        if code:
            raise ProgramFailed(argv, code, list(last), hits)
        return list(last)

    @staticmethod
    def cancelled() -> BuildError:
        """What a cancelled build ends with."""
        return BuildError("refused", "cancelled by the operator", "deploy again when you like")

    def cancel(self) -> None:
        """End the program that runs now, and with it the build."""
        self.is_cancelled = True
        child = self._child
        if child is not None and child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGTERM)  # the session that we gave our own, unreaped child

    def _live(self) -> None:
        spoke = time.monotonic()
        while True:
            time.sleep(min(LOOK_S, self._alive_s))
            if self._stop_note is not None and self._stop_note.exists():
                self.cancel()
            if time.monotonic() - spoke >= self._alive_s:
                spoke = time.monotonic()
                self.tell(alive=round(spoke - self._began, 1))
