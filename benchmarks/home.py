"""What a long history costs: `ls`, `show`, `stop`, `kill` on a home of 5,000 finished runs and 5 live ones.

Processor seconds of the command and of the agent that it starts, beside the same command on a home whose five
live runs are all that was ever started; so the load of the machine does not matter. The first look, when
nothing was read before, is told apart. The memory is the peak of an agent that tells every run.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, report
from trainer.run.checkpoints.manifest import MANIFEST, checkpoint_name, seal
from trainer.run.disk.atomic import encode
from trainer.run.home import open_home
from trainer.run.layout import new_run_id
from trainer.run.spec import RunSpec
from trainer.run.states import State, StateRecord

FINISHED = 5000
LIVE = 5
ROUNDS = 3
PAGE = 500
MORE_S = 0.3
AGENT_MB = 80.0
PHOTINUS = (sys.executable, "-P", "-m", "tui.cli")
SLEEP = ("--", sys.executable, "-I", "-S", "-c", "import time; time.sleep(3600)")
ENDINGS = (State.SUCCEEDED, State.FAILED, State.STOPPED, State.SUCCEEDED)


class BenchHome:
    """A state root of the benchmark's own, and what commands on it cost."""

    def __init__(self, root: Path, finished: int) -> None:
        self.root = root
        fill(root, finished)
        self.live = [self.start() for _ in range(LIVE)]

    def start(self) -> str:
        """A live run; its id."""
        words = ("start", "--shared", "--json", "--wait", "running", "--command", "--name", "live", *SLEEP)
        return str(json.loads(self.say(*words))["run_id"])

    def say(self, *words: str) -> str:
        """What a command prints."""
        return subprocess.run(
            [*PHOTINUS, *words], env=self._env, check=True, capture_output=True, text=True
        ).stdout

    def cpu_s(self, *words: str) -> float:
        """Processor seconds of a command, with those of the agent that it waits for."""
        before = _children_s()
        self.say(*words)
        return _children_s() - before

    def agent_mb(self) -> float:
        """Peak memory of an agent that tells every run, page by page."""
        command = [sys.executable, "-P", "-m", "remote.agent", "--stdio"]
        with subprocess.Popen(command, env=self._env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as agent:
            _ask(agent, "hello", {"proto": [1, 1], "version": "0", "client": "bench"})
            page = _ask(agent, "runs", {"finished": PAGE})
            while page["next"]:
                _ask(agent, "ping", {"n": 1})
                page = _ask(agent, "runs", {"finished": PAGE, "skip": page["next"]})
            peak = _peak_mb(agent.pid)
            if agent.stdin is not None:
                agent.stdin.close()
        return peak

    def close(self) -> None:
        """End what was started here."""
        for run_id in self.live:
            subprocess.run([*PHOTINUS, "kill", run_id], env=self._env, check=False, capture_output=True)

    @property
    def _env(self) -> Mapping[str, str]:
        return {**os.environ, "PHOTINUS_HOME": str(self.root)}


def fill(root: Path, count: int) -> None:
    """Runs that are over, as a supervisor and a trainer leave them, without the fsync of each file."""
    home = open_home(root)
    now = time.time()
    manifest = encode(seal({"format": 1, "step": 200, "kind": "final", "metrics": {}, "files": {}}))
    for number in range(count):
        is_ours = number % 2 == 0
        run = home.run(new_run_id(f"sweep-{number}")).create()
        spec = RunSpec(
            run_id=run.run_id,
            name=f"sweep {number}",
            kind="trainer" if is_ours else "command",
            device="cpu",
            config={"steps": 200, "model": {f"key{n}": n for n in range(40)}} if is_ours else {},
            argv=() if is_ours else ("python3", "train.py"),
            created=now - count + number,
        )
        state = StateRecord(
            run_id=run.run_id, state=ENDINGS[number % 4], seq=4, attempt=1, since=now - count + number
        )
        run.spec.write_bytes(encode(spec.to_json()))
        run.state.write_bytes(encode(state.to_json()))
        who = {"pid": 4_000_000, "start": 1, "boot_id": "none"}
        record = {
            "attempt": 1,
            "token": f"{number:032x}",
            "supervisor": who,
            "trainer": who,
            "sid": 4_000_000,
        }
        run.process.write_bytes(encode(record | {"boot_id": "none"}))
        run.log(1).write_bytes(b"".join(b"line %d\n" % line for line in range(50)))
        if is_ours:
            run.exit.write_bytes(encode({"attempt": 1, "token": "t", "outcome": "succeeded", "step": 200}))
            saved = run.checkpoints / checkpoint_name(200)
            saved.mkdir()
            (saved / MANIFEST).write_bytes(manifest)


def compare(full: BenchHome, short: BenchHome) -> dict[str, list[tuple[float, float]]]:
    """Costs of each command on both homes, taken in turn."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ("ls", "show", "stop", "kill")}
    for _ in range(ROUNDS):
        for name, costs in found.items():
            both = []
            for home in (full, short):
                words = [] if name == "ls" else [home.live[0]]
                both.append(home.cpu_s(name, *words))
                if name in ("stop", "kill"):
                    home.live.pop(0)
                    home.live.append(home.start())
            costs.append((both[0], both[1]))
    return found


def _ask(agent: "subprocess.Popen[bytes]", verb: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to one request; what is pushed before it is passed over."""
    assert agent.stdin is not None
    assert agent.stdout is not None
    agent.stdin.write(json.dumps({"id": 1, "verb": verb, "args": args}).encode() + b"\n")
    agent.stdin.flush()
    while "id" not in (answer := json.loads(agent.stdout.readline())):
        pass
    return dict(answer["result"])


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _peak_mb(pid: int) -> float:
    """Of a live process; where there is no /proc, of the largest child so far."""
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20


def figures(full: BenchHome, short: BenchHome, finished: int) -> list[Figure]:
    """Every figure, the cold look first: afterwards nothing is cold any more."""
    cold = [full.cpu_s("ls"), short.cpu_s("ls")]
    rows = [
        Figure(
            what=f"ls, {finished:,} runs never read before, CPU-s more",
            value=cold[0] - cold[1],
            unit="s",
            baseline=f"no history ({cold[1]:.2f} s)",
            ratio=cold[0] / cold[1],
        )
    ]
    for name, costs in compare(full, short).items():
        more = statistics.median(one - other for one, other in costs)
        base = statistics.median(other for _, other in costs)
        rows.append(
            Figure(
                what=f"{name}, {finished:,} finished runs, CPU-s more",
                value=more,
                unit="s",
                aim=MORE_S,
                n=len(costs),
                baseline=f"no history ({base:.2f} s)",
                ratio=(base + more) / base,
            )
        )
    peak, plain = full.agent_mb(), short.agent_mb()
    rows.append(
        Figure(
            what=f"agent that tells {finished:,} runs, peak memory",
            value=peak,
            unit="MB",
            aim=AGENT_MB,
            baseline=f"no history ({plain:.0f} MB)",
            ratio=peak / plain,
        )
    )
    return rows


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--finished", type=int, default=FINISHED, help="how many runs are over (default: 5000)"
    )
    count = parser.parse_args().finished
    with tempfile.TemporaryDirectory() as folder:
        homes = BenchHome(Path(folder) / "full", count), BenchHome(Path(folder) / "short", 0)
        try:
            report(figures(*homes, count))
        finally:
            for home in homes:
                home.close()


if __name__ == "__main__":
    main()
