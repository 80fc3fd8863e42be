from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.remote.supervisor.stage import Stage, environment


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    opened = Stage.open(tmp_path / "home")
    yield opened
    opened.close()
