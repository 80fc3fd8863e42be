"""Writing is proven on the disk: with macOS's own call where that exists, with fsync elsewhere."""

import fcntl
import os
from pathlib import Path

import pytest

from trainer.checkpoints import draft
from trainer.run.disk import atomic


@pytest.mark.parametrize(("supported", "called"), [(True, ["full"]), (False, ["full", "fsync"])])
def test_macos_is_asked_to_empty_the_drives_cache(
    supported: bool, called: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def control(_: int, command: int) -> int:
        assert command == 51
        calls.append("full")
        if not supported:
            raise OSError(45, "Operation not supported")
        return 0

    monkeypatch.setattr(atomic, "FULL_SYNC", 51)
    monkeypatch.setattr(fcntl, "fcntl", control)
    monkeypatch.setattr(os, "fsync", lambda _: calls.append("fsync"))
    (tmp_path / "file").write_bytes(b"x")
    assert draft._sync_and_prove(tmp_path / "file")["bytes"] == 1
    assert calls == called


def test_elsewhere_it_is_fsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    monkeypatch.setattr(atomic, "FULL_SYNC", None)
    monkeypatch.setattr(os, "fsync", calls.append)
    atomic.sync_to_disk(7)
    assert calls == [7]
