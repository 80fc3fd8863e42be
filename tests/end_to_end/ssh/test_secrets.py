"""A canary in an environment file: nowhere but in the trainer's environment and in its 0600 spec."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.end_to_end.ssh.box import Box
from tests.end_to_end.ssh.operating import Console
from tests.sshd.client import Laptop
from tests.waiting import wait_until

CANARY = "c4n4ry-" + "7f3a9b" * 5
LOUD = "import os, time\nprint('up', len(os.environ['API_TOKEN']), flush=True)\ntime.sleep(120)"
Record = Callable[[str, object], None]


@pytest.fixture
def console(laptop: Laptop, box: Box) -> Console:
    made = Console(laptop)
    made.know(box.host)
    return made


@pytest.fixture
def secret(laptop: Laptop) -> Path:
    """Where the operator keeps it; the one file on the laptop that may hold it."""
    path = laptop.home / "secret.env"
    path.write_text(f"API_TOKEN={CANARY}\n")
    path.chmod(0o600)
    return path


def processes() -> Iterator[Path]:
    return (
        entry for entry in Path("/proc").iterdir() if entry.name.isdigit() and int(entry.name) != os.getpid()
    )


def holding(name: str) -> set[int]:
    """Processes whose `cmdline` or `environ` holds the canary."""
    found = set()
    for entry in processes():
        try:
            if CANARY.encode() in (entry / name).read_bytes():
                found.add(int(entry.name))
        except OSError:
            continue
    return found


def files_with_it(*roots: Path) -> dict[Path, int]:
    """Every file under the roots that holds the canary, and its mode."""
    found = {}
    for root in roots:
        for folder, _, names in os.walk(root):
            for path in (Path(folder, name) for name in names):
                info = path.lstat()
                if stat.S_ISREG(info.st_mode) and CANARY.encode() in path.read_bytes():
                    found[path] = stat.S_IMODE(info.st_mode)
    return found


@pytest.mark.chaos
@pytest.mark.claim("secrets canary in argv, environment listings, logs and files")
def test_a_secret_is_nowhere_but_in_the_trainer_and_its_spec(
    box: Box, console: Console, secret: Path, laptop: Laptop, record_property: Record
) -> None:
    command = ("--command", "--", "/usr/bin/env", "python3", "-c", LOUD)
    told = console.do("start", "--host", "box", "--json", "--env-file", str(secret), *command)
    run_id = told.json["run_id"]
    wait_until(lambda: b"up 37" in box.run(run_id).log(1).read_bytes(), 20.0, "the script to have its secret")
    said = [told]
    said += [
        console.do(*words, "--host", "box") for words in (("show", run_id), ("processes",), ("tail", run_id))
    ]
    said.append(console("resume", run_id, "--host", "box"))
    trainer = box.record(run_id).trainer
    assert trainer is not None

    assert holding("cmdline") == set()
    assert holding("environ") == {trainer.pid}
    said.append(console.do("stop", run_id, "--host", "box"))
    assert not [answer for answer in said if CANARY in answer.out + answer.err]
    assert files_with_it(laptop.home, box.sshd.folder) == {secret: 0o600, box.run(run_id).spec: 0o600}
    record_property("trials", 3 + len(said))


def test_the_search_finds_what_it_looks_for(box: Box, console: Console, secret: Path, laptop: Laptop) -> None:
    """The control: the same secret given in the wrong way, on a command line, and printed."""
    code = f"import time; print('{CANARY}', flush=True); time.sleep(120)"
    told = console.do("start", "--host", "box", "--json", "--command", "--", "python3", "-c", code)
    run_id = told.json["run_id"]
    wait_until(lambda: CANARY.encode() in box.run(run_id).log(1).read_bytes(), 20.0, "the line")
    assert holding("cmdline")
    assert box.run(run_id).log(1) in files_with_it(box.sshd.folder)
