"""A state root of one's own, the real command line, and nothing left running afterwards."""

import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.end_to_end.warm import run_warm
from tests.waiting import wait_until

TINY = (
    "model.dim=16", "model.layers=1", "model.oscillators=16", "batch=2", "context=32", "threads=1",
    "device=cpu", "eval.tokens=512", "eval.sample_tokens=8", "optim.warmup=2", "optim.amp=off",
)  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What one command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Operator:
    """Somebody at a keyboard, with a state root of their own."""

    home: Path
    env: Mapping[str, str]

    def __call__(self, *words: str, timeout: float = 50.0) -> Answer:
        with TemporaryDirectory(prefix="said-", dir=self.home.parent) as folder:
            out, err = Path(folder, "out"), Path(folder, "err")
            code = run_warm(words, self.env, self.home.parent, (out, err), timeout)
            return Answer(code, out.read_text("utf-8"), err.read_text("utf-8"))

    def argv(self, *words: str) -> list[str]:
        return [sys.executable, "-P", "-m", "tui", *words]

    def do(self, *words: str, timeout: float = 50.0) -> Any:
        """The command's JSON; a failure shows what it said."""
        answer = (
            self(*words, "--json", timeout=timeout)
            if "--" not in words
            else self(*_json_first(words), timeout=timeout)
        )
        assert answer.code == 0, f"photinus {' '.join(words)} -> {answer.code}\n{answer.out}\n{answer.err}"
        return answer.json

    def start_tiny(
        self, corpus: Path, *overrides: str, steps: int = 100_000, words: Sequence[str] = ()
    ) -> dict[str, Any]:
        """A trainer run that is small enough to step many times a second."""
        sets = [item for text in (*TINY, f"steps={steps}", *overrides) for item in ("--set", text)]
        run: dict[str, Any] = self.do(
            "start", "--preset", "kssm-v3-tiny", "--data", str(corpus), *sets, *words
        )
        return run

    def start_script(self, script: Path, *words: str, shared: bool = True) -> dict[str, Any]:
        """A user's own Python script."""
        flags = ["--shared"] if shared else []
        run: dict[str, Any] = self.do("start", *flags, *words, "--command", "--", sys.executable, str(script))
        return run

    def show(self, run_id: str) -> dict[str, Any]:
        shown: dict[str, Any] = self.do("show", run_id)
        return shown

    def run_dir(self, run_id: str) -> Path:
        return self.home / "runs" / run_id

    def state(self, run_id: str) -> str:
        """The state on disk, without any agent's contact."""
        text = (self.run_dir(run_id) / "state.json").read_text()
        return str(json.loads(text)["state"])

    def process(self, run_id: str) -> dict[str, Any]:
        record: dict[str, Any] = json.loads((self.run_dir(run_id) / "process.json").read_text())
        return record

    def events(self, run_id: str) -> list[dict[str, Any]]:
        path = self.run_dir(run_id) / "events.jsonl"
        lines = path.read_bytes().splitlines() if path.exists() else []
        return [event for line in lines if (event := _parse(line))]

    def wait_for_event(self, run_id: str, kind: str, timeout: float = 45.0, **fields: Any) -> dict[str, Any]:
        """The first event of `kind` that has these fields."""
        found: list[dict[str, Any]] = []

        def look() -> bool:
            found[:] = [
                e
                for e in self.events(run_id)
                if e["type"] == kind and all(e.get(k) == v for k, v in fields.items())
            ]
            return bool(found)

        wait_until(look, timeout, f"a {kind} event {fields or ''} of {run_id}")
        return found[0]


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def _json_first(words: Sequence[str]) -> list[str]:
    return [words[0], "--json", *words[1:]]


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    """The command line on a fresh state root; every process of it is ended afterwards, by pid."""
    home = tmp_path / "home"
    env = {**os.environ, "PHOTINUS_HOME": str(home), "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}
    yield Operator(home, env)
    _end_everything(home)


def _end_everything(home: Path) -> None:
    """SIGKILL to what has this state root in its environment: started by this test by construction."""
    for pid in _pids_with(home):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    wait_until(lambda: not _pids_with(home), 20.0, f"the processes of {home} to be gone")


def _pids_with(home: Path) -> list[int]:
    needle = f"PHOTINUS_HOME={home}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if (
                needle in (entry / "environ").read_bytes().split(b"\0")
                and b") Z " not in (entry / "stat").read_bytes()
            ):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few thousand sentences with some structure, made here."""
    words = ["river", "lamp", "signal", "meadow", "phase", "night", "swarm", "clock", "stone", "voice"]
    verbs = ["drifts", "answers", "follows", "carries", "forgets", "couples", "lights", "leaves"]
    lines = []
    for i in range(4000):
        a, b, v = words[(i * 7) % 10], words[(i * i + 3) % 10], verbs[(i * 5 + i // 10) % 8]
        lines.append(f"The {a} {v} the {b} for the {i % 97}th time." + ("\n" if i % 6 == 5 else ""))
    path = tmp_path_factory.mktemp("corpus") / "fireflies.txt"
    path.write_text("\n".join(lines))
    return path
