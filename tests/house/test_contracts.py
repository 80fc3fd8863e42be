"""The fences gate: a forbidden import of each kind turns the linter red, and says which fence it broke."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.allow_list import rooms_of
from tests.house.tree import PACKAGES, ROOT, room_lines

FORBIDDEN = {
    "trainer/run/control.py": "import trainer.job.stop",
    "trainer/config/keys.py": "import torch",
    "trainer/loop/train.py": "import trainer.reproduce.claims",
    "remote/agent/outbox.py": "import remote.session.updates",
    "remote/supervisor/log.py": "import remote.agent.verb",
    "remote/deploy/on_host/stage.py": "import remote.ssh.slots",
    "remote/session/updates.py": "import paramiko",
    "remote/hosts/address.py": "import remote.hosts.lookup",
    "remote/protocol/finding.py": "import tui.keys",
    "tui/store/words.py": "import trainer.job.stop, trainer.job.worker_failures",
    "tui/store/facts.py": "import textual",
    "tui/new_room/desk.py": "import tui.keys",
}
"""File of a copy -> what is written into it."""

FENCES = (
    "Imports point one way: tui -> remote -> trainer BROKEN",
    "rooms of one rung do not know each other BROKEN",
    "a supervisor knows no agent BROKEN",
    "No import circle, in any folder BROKEN",
    "Each room imports what it names, and nothing else BROKEN",
)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the linter says of a copy with one forbidden import of each kind, its lines joined."""
    copy = tmp_path_factory.mktemp("copy")
    shutil.copy(ROOT / "pyproject.toml", copy)
    (copy / "tests" / "house").mkdir(parents=True)
    for name in ("tests/__init__.py", "tests/house/__init__.py", "tests/house/allow_list.py"):
        shutil.copy(ROOT / name, copy / name)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "tui" / "new_room").mkdir()
    (copy / "tui" / "new_room" / "__init__.py").touch()
    for name, line in FORBIDDEN.items():
        with (copy / name).open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")
    linter = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    done = subprocess.run(linter, cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    return " ".join(done.stdout.split())


@pytest.mark.parametrize("fence", FENCES)
def test_each_fence_turns_red(report: str, fence: str) -> None:
    assert fence in report


@pytest.mark.parametrize(
    "sentence",
    [
        "trainer.run may not import trainer.job.stop: trainer.run.control",
        "trainer.config may not import torch: trainer.config.keys",
        "trainer.loop may not import trainer.reproduce.claims: trainer.loop.train",
        "remote.agent may not import remote.session.updates: remote.agent.outbox",
        "remote.supervisor may not import remote.agent.verb: remote.supervisor.log",
        "remote.deploy.on_host may not import remote.ssh.slots: remote.deploy.on_host.stage",
        "remote.session may not import paramiko: remote.session.updates",
        "remote.protocol may not import tui.keys: remote.protocol.finding",
        "tui.store may not import trainer.job.stop: tui.store.words",
        "tui.store may not import trainer.job.worker_failures: tui.store.words",
        "tui.store may not import textual: tui.store.facts",
        "tui.new_room.desk is in no room",
    ],
)
def test_each_forbidden_import_is_named(report: str, sentence: str) -> None:
    assert sentence in report


def test_a_room_that_is_not_listed_breaks_its_ladder(report: str) -> None:
    assert "The cockpit is a ladder BROKEN" in report
    assert "new_room" in report.split("The cockpit is a ladder", 2)[-1]


def test_no_room_may_import_what_stands_in_no_line() -> None:
    """Rooms and packages by their full names: a line cannot open a whole package by naming its root."""
    rooms = rooms_of(list(room_lines()))
    assert len(rooms) > 30
    for room, allowed in rooms.items():
        roots = allowed & set(PACKAGES)
        assert not roots or room in ("trainer.config", "remote.deploy"), f"{room} names a whole package"
