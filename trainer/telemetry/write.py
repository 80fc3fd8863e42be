"""The writing end of `events.jsonl`: one JSON object a line, one `write` a line."""

import math
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from trainer.telemetry.events import COUNT_MAX, Envelope, StepBack

TAIL_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Position:
    """Where an events file stands: its last seq and attempt (0 for a new file), whether the tail is torn."""

    seq: int = 0
    attempt: int = 0
    torn: bool = False


def position(path: Path) -> Position:
    """Return where the events in `path` stand; lines that are no events are skipped."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES))
            tail = file.read()
    except FileNotFoundError:
        return Position()
    torn = bool(tail) and not tail.endswith(b"\n")
    for line in reversed(tail.split(b"\n")):
        try:
            event = msgspec.json.decode(line)
            found = Position(int(event["seq"]), int(event["attempt"]), torn)
        except (msgspec.DecodeError, TypeError, KeyError, ValueError, OverflowError, RecursionError):
            continue
        if 0 <= found.seq < COUNT_MAX and 0 <= found.attempt <= COUNT_MAX:  # no absurd one is gone on from
            return found
    return Position(torn=torn)


class EventWriter:
    """Appends events of one attempt. A torn last line of an earlier attempt is closed, never repaired.

    A line is on disk after a power cut only once `sync` was called (at checkpoints and at the end); after a
    crash of the process alone it is there at once. Writing raises `OSError` on a full disk: what is written
    next then begins on a line of its own.
    """

    def __init__(self, path: Path, attempt: int, first_seq: int = 0) -> None:
        """Open `path`; `seq` continues from the file, or begins at `first_seq` if that is higher."""
        found = position(path)
        self.attempt = attempt
        self._seq = max(found.seq + 1, first_seq)
        self._torn = found.torn
        self._encode = msgspec.json.Encoder().encode
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def write(self, type_name: str, step: int | None = None, fields: Mapping[str, Any] | None = None) -> None:
        """Append one event. A non-finite number becomes null; `metrics` and `evaluation` also name it."""
        event: dict[str, Any] = {
            "type": type_name,
            "seq": self._seq,
            "attempt": self.attempt,
            "t": time.time(),
        }
        if step is not None:
            event["step"] = step
        if fields:
            event.update(fields)
        line = self._encode(event) + b"\n"
        if self._torn:
            line = b"\n" + line
        self._seq += 1
        self._torn = True
        rest = line
        while rest:
            rest = rest[os.write(self._fd, rest) :]
        self._torn = False

    def hello(self, *, name: str, preset: str, max_steps: int, device: str, pid: int) -> None:
        """First words of the attempt."""
        fields = {"name": name, "preset": preset, "max_steps": max_steps, "device": device, "pid": pid}
        self.write("hello", None, fields)

    def metrics(self, step: int, values: Mapping[str, float], u_stat: str = "median") -> None:
        """A row of training metrics; a non-finite value is written as null and named in `nonfinite`."""
        self.write("metrics", step, {"u_stat": u_stat, **values, **_nonfinite(values)})

    def evaluation(self, step: int, values: Mapping[str, float], best: bool) -> None:
        """Held-out scores."""
        self.write("eval", step, {"best": best, **values, **_nonfinite(values)})

    def probe(self, step: int, values: Mapping[str, float], layers: Mapping[str, Sequence[float]]) -> None:
        """A look into the model: numbers of the whole, and a number a layer under each name of `layers`."""
        self.write("probe", step, {**values, "layers": layers, **_nonfinite(values)})

    def sample(self, step: int, text: str, prompt: str, order: Iterable[float]) -> None:
        """Generated text, with R a generated token (`order`)."""
        self.write("sample", step, {"text": text, "prompt": prompt, "R": list(order)})

    def checkpoint(self, step: int, path: str, sha256: str, kind: str, size: int) -> None:
        """A checkpoint proven on disk; synced, because a reader will act on it."""
        self.write("checkpoint", step, {"path": path, "sha256": sha256, "kind": kind, "bytes": size})
        self.sync()

    def phase(
        self, phase: str, step: int | None = None, detail: str = "", done: int = 0, total: int = 0
    ) -> None:
        """What the attempt is doing; `done` of `total` drives a progress bar."""
        self.write("state", step, {"phase": phase, "detail": detail, "done": done, "total": total})

    def floors(
        self, unigram: float, bigram: float, trigram: float, entropy_rate: float | None, fingerprint: str
    ) -> None:
        """N-gram cross-entropies of the data."""
        fields = {"unigram": unigram, "bigram": bigram, "trigram": trigram}
        self.write("floors", None, {**fields, "entropy_rate": entropy_rate, "fingerprint": fingerprint})

    def resume(self, step: int, checkpoint: str) -> None:
        """This attempt continues from `step`: earlier rows past it are superseded."""
        self.write("resume", step, {"checkpoint": checkpoint})

    def step_back(self, event: StepBack) -> None:
        """The run goes on from an earlier step; of the envelope its step alone is taken."""
        own = (item.name for item in fields(event) if item.name not in Envelope.__dataclass_fields__)
        self.write("step_back", event.step, {name: getattr(event, name) for name in own})

    def note(self, message: str, level: str = "info", step: int | None = None) -> None:
        """A sentence for the operator; `level` is info, warning or error."""
        self.write("note", step, {"level": level, "message": message})

    def sync(self) -> None:
        """Make what was written survive a power cut."""
        os.fsync(self._fd)

    def close(self) -> None:
        """Sync and let go of the file. Closing twice does nothing."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            try:
                os.fsync(fd)
            finally:
                os.close(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _nonfinite(values: Mapping[str, float]) -> dict[str, list[str]]:
    bad = [name for name, value in values.items() if not math.isfinite(value)]
    return {"nonfinite": bad} if bad else {}
