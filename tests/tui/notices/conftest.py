"""A receiver, and a state root of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.notices.receiver import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`$PHOTINUS_HOME`."""
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"
