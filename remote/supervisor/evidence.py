"""What a failure's reason says beside its code: who sent the signal, want of memory, the log's last line."""

import contextlib
import os
import re
import signal
from dataclasses import replace
from pathlib import Path

from remote.supervisor.attempt_outcome import AttemptOutcome, ProcessEnd
from remote.supervisor.process.command_line import printable
from trainer.run.disk.small_record import open_plain
from trainer.run.layout import RunDir
from trainer.run.logs import newest_log
from trainer.run.records import ExitRecord
from trainer.run.run_errors import RecordError
from trainer.run.states import State

# What somebody sends; the others are a program's own fault.
SENT = frozenset(
    {signal.SIGTERM, signal.SIGKILL, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1}
)
CAUSES = {
    signal.SIGXCPU: "its limit of processor time: ulimit -t",
    signal.SIGXFSZ: "its limit of a file's size: ulimit -f",
    signal.SIGBUS: "a mapped file was cut short, its disk is full, or memory failed",
}
BY_SHELL = range(129, 160)  # how a shell tells that a child was ended by a signal: 128 and its number
TRACEBACK = "Traceback (most recent call last):"
TRACEBACK_LINES = 20  # of the log's end; what stands further up was borne
SHELLS_KILLED = 128 + signal.SIGKILL  # how a shell tells that its child was killed
LAST_BYTES = 8192
# A terminal's colours and titles: whole sequences, of which the first character alone would be dropped else.
ESCAPE = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
LINE_MAX = 200


def was_killed(ending: ProcessEnd) -> bool:
    """Whether it ended as by SIGKILL, itself or below a shell."""
    return ending.signal == signal.SIGKILL or ending.code == SHELLS_KILLED


def explained(
    outcome: AttemptOutcome, ending: ProcessEnd, word: ExitRecord | None, memory: str, run: RunDir
) -> AttemptOutcome:
    """A failure with its evidence; a trainer's own last word needs none but the kernel's."""
    if outcome.state is not State.FAILED:
        return outcome
    detail = memory or _of_signal(ending)
    line = last_line(run) if ending.code and word is None and not memory else ""
    reason = f"{outcome.reason} ({detail})" if detail else outcome.reason
    return replace(outcome, reason=f"{reason}: {line}" if line else reason)


def _of_signal(ending: ProcessEnd) -> str:
    if ending.signal in SENT:
        return "not sent by Photinus"
    if ending.signal is not None:
        return next((cause for number, cause in CAUSES.items() if number == ending.signal), "")
    if ending.code is not None and ending.code in BY_SHELL:
        with contextlib.suppress(ValueError):
            return f"as a shell tells of {signal.Signals(ending.code - 128).name}"
    return ""


def last_line(run: RunDir) -> str:
    """What the newest log ends with, one line, cut; "" where there is none.

    Of a traceback at its end, the line that names the exception: a long message has further lines.
    """
    lines = last_lines(run, TRACEBACK_LINES)
    starts = [number for number, line in enumerate(lines) if line == TRACEBACK]
    raised = (line for line in lines[starts[-1] + 1 :] if line[0] not in " |+") if starts else iter(())
    return next(raised, lines[-1] if lines else "")


def last_lines(run: RunDir, count: int) -> list[str]:
    """The last lines of the newest log, each cleaned and cut."""
    try:
        path = newest_log(run)
    except OSError:
        return []
    return lines_at_end(path, count) if path is not None else []


def lines_at_end(path: Path, count: int) -> list[str]:
    """The last lines of a file that say something, each cleaned and cut; none where it cannot be read."""
    try:
        with os.fdopen(open_plain(path), "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - LAST_BYTES))
            text = file.read(LAST_BYTES).decode("utf-8", "replace")
    except (OSError, RecordError):
        return []
    lines = [
        printable(ESCAPE.sub("", line)).rstrip()[:LINE_MAX] for line in text.replace("\r", "\n").split("\n")
    ]
    return [line for line in lines if line.strip()][-count:]
