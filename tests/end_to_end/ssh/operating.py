"""The command line on the test's laptop, with a host of a test in its hosts.yaml."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remote.hosts.host import Host
from remote.hosts.hosts_edit import add_hosts
from remote.hosts.hosts_file import hosts_path
from tests.sshd.client import Laptop

CHECKOUT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its `--json`."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Console:
    """`photinus ...` on the laptop."""

    laptop: Laptop

    def __call__(self, *words: str, timeout: float = 50.0) -> Answer:
        done = subprocess.run(
            self.argv(*words), env=self.env, capture_output=True, text=True, timeout=timeout, check=False,
            cwd=self.laptop.home, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return Answer(done.returncode, done.stdout, done.stderr)

    @property
    def env(self) -> dict[str, str]:
        """What a command's process gets."""
        return {**os.environ, **self.laptop.env, "PYTHONPATH": str(CHECKOUT), "NO_COLOR": "1"}

    def argv(self, *words: str) -> list[str]:
        """The command line of one command."""
        return [sys.executable, "-P", "-m", "tui", *words]

    def do(self, *words: str, timeout: float = 50.0) -> Answer:
        """A command that must succeed; a failure shows what it said."""
        answer = self(*words, timeout=timeout)
        assert answer.code == 0, f"photinus {' '.join(words)} -> {answer.code}\n{answer.out}\n{answer.err}"
        return answer

    def know(self, host: Host) -> None:
        """Put a host into the laptop's hosts.yaml."""
        add_hosts([host], hosts_path({"PHOTINUS_HOME": str(self.laptop.root)}))
