"""`pull` from a real sshd on the loopback, beside `scp` of the same files in the same run.

Both write through to the same disk; a pull also hashes every byte, and syncs each file before it gets its
name.
"""

import os
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.figures import Figure, report, seconds
from remote.session.session import Session, connect
from remote.transfer.pull import PullOptions, pull
from remote.transfer.push import PushOptions, push
from remote.transfer.select import Choice
from tests.remote.transfer.saved import RUN_ID, make_run, save
from tests.sshd.client import Laptop
from tests.sshd.server import Sshd, User

FILES, SIZE = 4, 64 << 20
ROUNDS = 5


def main() -> None:
    """Interleave the rounds, so that a busy machine is busy for all of them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        laptop = Laptop(folder)
        os.environ.update(laptop.env)
        server = Sshd.start(folder, [User("plain")], laptop=laptop)
        try:
            measure(folder, server)
        finally:
            server.close()


def measure(folder: Path, server: Sshd) -> None:
    """Take the figures."""
    run = make_run(folder / "far")
    save(run, 100, {f"shard-{i}.safetensors": os.urandom(SIZE) for i in range(FILES)}, 1.0)
    save(run, 50, {"model.safetensors": os.urandom(FILES * SIZE)}, 2.0)
    host = server.host()
    server.place(host, folder / "far")
    megabytes = FILES * SIZE / 1e6
    taken: dict[str, list[float]] = {"scp": [], "one": [], "four": [], "push": []}
    with connect(host) as session:
        for number in range(ROUNDS):
            to = folder / f"to-{number}"
            to.mkdir()
            mine, options = to / RUN_ID / "step-00000050", PushOptions(origin=f"round-{number}")
            acts: dict[str, Callable[[], object]] = {
                "scp": partial(scp, server, run.checkpoints, to),
                "one": partial(fetch, session, Choice("match", glob="step-00000050"), 1, to),
                "four": partial(fetch, session, Choice("best"), 4, to),
                "push": partial(push, session, mine, options),
            }
            for key, act in acts.items():
                taken[key].append(megabytes / seconds(act))
            shutil.rmtree(to)
    middle = {name: statistics.median(values) for name, values in taken.items()}

    def beside(what: str, key: str, aim: float | None) -> Figure:
        ratio = statistics.median(a / b for a, b in zip(taken[key], taken["scp"], strict=True))
        return Figure(f"{what}, as a share of scp", ratio, "x", aim, less_is_better=False, n=ROUNDS)

    report(
        [
            Figure("scp -r", middle["scp"], "MB/s", n=ROUNDS, less_is_better=False),
            Figure("pull, one stream", middle["one"], "MB/s", n=ROUNDS, less_is_better=False),
            beside("pull, one stream", "one", 0.4),
            Figure("pull, four files in flight", middle["four"], "MB/s", n=ROUNDS, less_is_better=False),
            beside("pull, four files in flight", "four", 0.8),
            Figure("push, hashed here and there", middle["push"], "MB/s", n=ROUNDS, less_is_better=False),
        ]
    )


def scp(server: Sshd, checkpoints: Path, to: Path) -> None:
    """The same files by OpenSSH's own client."""
    source = f"plain@127.0.0.1:{checkpoints / 'step-00000100'}"
    options = ["-q", "-r", *server.ssh_options(), "-P", str(server.port)]
    subprocess.run([server.laptop_program("scp"), *options, source, str(to / "scp")], check=True)


def fetch(session: Session, choice: Choice, workers: int, to: Path) -> None:
    """One pull."""
    pull(session, RUN_ID, choice, to, options=PullOptions(workers=workers))


if __name__ == "__main__":
    main()
