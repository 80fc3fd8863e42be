"""A run so small that a step takes milliseconds, in this process or in one of its own."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from trainer import cli
from trainer.run.disk.atomic import read_json

TINY = (
    "model.dim=16",
    "model.layers=1",
    "model.oscillators=8",
    "model.group=4",
    "model.harmonics=1",
    "batch=4",
    "context=16",
    "steps=6",
    "optim.warmup=2",
    "optim.amp=off",
    "eval.every=0",
    "eval.tokens=64",
    "eval.sample_tokens=4",
    "checkpoint.every=2",
    "checkpoint.keep_last=9",
    "log.every=2",
    "threads=1",
    "device=cpu",
)
SENTENCE = "the firefly waits until its neighbours flash then answers in phase with all of them at once"


def write_text(path: Path, seed: int = 0, sentences: int = 1500) -> Path:
    """Write a text of a made-up language; about 60 KB."""
    draw = random.Random(seed)
    paragraphs = [" ".join(draw.choices(SENTENCE.split(), k=9)).capitalize() + "." for _ in range(sentences)]
    path.write_text("\n\n".join(paragraphs))
    return path


def words(out: Path, text: Path, *more: str, sets: Sequence[str] = ()) -> list[str]:
    """Return the command line of a tiny run."""
    flags = [word for item in (*TINY, *sets) for word in ("--set", item)]
    return ["run", "--preset", "kssm-v3-tiny", "--data", str(text), "--out", str(out), *flags, *more]


def run(out: Path, text: Path, *more: str, sets: Sequence[str] = ()) -> int:
    """Train in this process; return the exit code."""
    with signals_restored():
        return cli.main(words(out, text, *more, sets=sets))


@contextmanager
def signals_restored() -> Iterator[None]:
    """Give SIGTERM and SIGINT back to pytest afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def spawn(out: Path, text: Path, *more: str, sets: Sequence[str] = ()) -> "subprocess.Popen[str]":
    """Train in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "trainer", *words(out, text, *more, sets=sets)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def events(out: Path, kind: str = "") -> list[dict[str, Any]]:
    """Return the whole events of a run, of one type or of all; a torn line is skipped."""
    found = []
    path = out / "events.jsonl"
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if kind in ("", event["type"]):
            found.append(event)
    return found


def last_word(out: Path) -> dict[str, Any]:
    """Return what `exit.json` says."""
    raw = read_json(out / "exit.json")
    assert isinstance(raw, dict)
    return raw


def weights(out: Path, step: int) -> bytes:
    """Return the bytes of the weights after `step` steps."""
    return (out / "checkpoints" / f"step-{step:08d}" / "model.safetensors").read_bytes()


def moments(out: Path, step: int) -> bytes:
    """Return the bytes of the optimizer's moments after `step` steps."""
    return (out / "checkpoints" / f"step-{step:08d}" / "optimizer.safetensors").read_bytes()


@pytest.fixture(name="text")
def text_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A text, and a state root of the test's own for the token cache."""
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "home"))
    return write_text(tmp_path / "text.txt")
