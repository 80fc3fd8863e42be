"""What can happen to a folder of a run: a bad disk, another hand, another version, an enemy."""

import json
import os
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RECORDS = ("spec.json", "state.json", "process.json", "hello.json", "exit.json")
MANIFEST = "checkpoints/step-00000010/state.json"
WEIGHTS = "checkpoints/step-00000010/model.safetensors"
FILES = (*RECORDS, MANIFEST, WEIGHTS, "events.jsonl", "log/001.log", "lock", "trainer.lock")
FOLDERS = ("control", "log", "checkpoints")
NUMBERS = {
    "spec.json": ("created", "umask", "version"),
    "state.json": ("seq", "attempt", "since", "restarts"),
    "process.json": ("attempt", "started", "session"),
    "hello.json": ("attempt", "pid"),
    "exit.json": ("attempt", "step", "at"),
    MANIFEST: ("step", "tokens"),
}
TEXTS = {
    "spec.json": ("name", "device", "cwd"),
    "state.json": ("reason", "start_id"),
    "process.json": ("token",),
    "exit.json": ("reason",),
    MANIFEST: ("kind", "parent"),
}
HUGE = ("1" + "0" * 400, "1e308", "NaN", "-Infinity", "1e999", str(1 << 70), "-1e18")


@dataclass(frozen=True)
class Damage:
    """What was done. `file` is below the run's folder; `is_certain`: no reader can take it for sound."""

    file: str
    what: str
    is_certain: bool


def damage(run: Path, rng: random.Random) -> Damage:
    """Do one of them, by chance."""
    return rng.choice(WAYS)(run, rng)


def _flip(run: Path, rng: random.Random) -> Damage:
    file = rng.choice((*RECORDS, MANIFEST, WEIGHTS, "events.jsonl"))
    data = bytearray((run / file).read_bytes())
    for _ in range(rng.randrange(1, 9)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    (run / file).write_bytes(data)
    return Damage(file, "flipped", False)


def _cut(run: Path, rng: random.Random) -> Damage:
    file = rng.choice((*RECORDS, MANIFEST))
    data = (run / file).read_bytes()
    (run / file).write_bytes(data[: rng.randrange(len(data) - 2)])
    return Damage(file, "cut", True)


def _swap(run: Path, rng: random.Random) -> Damage:
    one, other = rng.sample(("spec.json", "state.json", MANIFEST), 2)
    here, there = (run / one).read_bytes(), (run / other).read_bytes()
    (run / one).write_bytes(there)
    (run / other).write_bytes(here)
    return Damage(one, f"swapped with {other}", True)


def _link(run: Path, rng: random.Random) -> Damage:
    file = rng.choice(FILES)
    target = rng.choice(("/dev/zero", "/nowhere/at/all", str(run.parent / "stolen.json"), "/etc/passwd"))
    return _replaced(run, file, f"a link to {target}", lambda path: path.symlink_to(target))


def _fifo(run: Path, rng: random.Random) -> Damage:
    return _replaced(run, rng.choice((*FILES, *FOLDERS)), "a FIFO", os.mkfifo)


def _folder(run: Path, rng: random.Random) -> Damage:
    return _replaced(run, rng.choice(FILES), "a folder", Path.mkdir)


def _file(run: Path, rng: random.Random) -> Damage:
    return _replaced(run, rng.choice(FOLDERS), "a file", lambda path: path.write_bytes(b"{}"))


def _replaced(run: Path, file: str, what: str, make: Callable[[Path], Any]) -> Damage:
    path = run / file
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    make(path)
    return Damage(file, what, True)


def _huge(run: Path, rng: random.Random) -> Damage:
    file = rng.choice(sorted(NUMBERS))
    name, number = rng.choice(NUMBERS[file]), rng.choice(HUGE)
    _rewrite(run / file, name, number)
    return Damage(file, f"{name} {number[:8]}", True)


def _wild_text(run: Path, rng: random.Random) -> Damage:
    file = rng.choice(sorted(TEXTS))
    name, text = rng.choice(TEXTS[file]), rng.choice(('"\\ud800"', f'"{"x" * (5 << 20)}"', "[" * 200_000))
    _rewrite(run / file, name, text)
    return Damage(file, f"{name} {text[:8]}", file != MANIFEST or len(text) < 1 << 20)


def _kind(run: Path, rng: random.Random) -> Damage:
    file = rng.choice(sorted(set(NUMBERS) - {MANIFEST}))
    name, value = rng.choice(NUMBERS[file]), rng.choice(('"text"', "[]", "{}", "true"))
    _rewrite(run / file, name, value)
    return Damage(file, f"{name} {value}", True)


def _value(run: Path, rng: random.Random) -> Damage:
    file, value = (
        rng.choice((*RECORDS, MANIFEST)),
        rng.choice(("null", "[]", "{}", "0", '""', "false", "[null]")),
    )
    (run / file).write_text(value)
    return Damage(file, f"nothing but {value}", True)


def _newer(run: Path, rng: random.Random) -> Damage:
    name, value = rng.choice((("of_a_later_version", "1"), ("version", "2")))
    _rewrite(run / "spec.json", name, value)
    return Damage("spec.json", f"{name} {value}", True)


def _event(run: Path, rng: random.Random) -> Damage:
    number = rng.choice(HUGE)
    line = f'{{"type":"metrics","seq":9,"attempt":1,"t":{number},"step":{number}}}\n'
    with (run / "events.jsonl").open("a") as file:
        file.write(line)
    return Damage("events.jsonl", f"a line with {number[:8]}", True)


def _rewrite(path: Path, name: str, value: str) -> None:
    """One value of a JSON object, as text: so that it can be what no encoder would write."""
    raw = json.loads(path.read_bytes()) | {name: "\0here"}
    path.write_text(json.dumps(raw).replace(json.dumps("\0here"), value))


WAYS = (
    _flip, _flip, _cut, _swap, _link, _link, _fifo, _fifo, _folder, _file,
    _huge, _huge, _wild_text, _kind, _value, _value, _newer, _event,
)  # fmt: skip
