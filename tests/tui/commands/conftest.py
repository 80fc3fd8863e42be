"""The command line in this process, on a laptop of the test's own."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.sshd.client import Laptop
from tui.cli import main


@dataclass(frozen=True)
class Said:
    """What one command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one line of JSON on stdout."""
        assert self.out.count("\n") == 1, self.out
        return json.loads(self.out)


Photinus = Callable[..., Said]


@pytest.fixture
def photinus(laptop: Laptop, capfd: pytest.CaptureFixture[str]) -> Photinus:
    """`photinus("hosts", "list")`: nobody is at the terminal."""

    def run(*words: str) -> Said:
        capfd.readouterr()
        code = main(words)
        said = capfd.readouterr()
        return Said(code, said.out, said.err)

    return run
