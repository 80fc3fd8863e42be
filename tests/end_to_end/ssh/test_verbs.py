"""The verbs of every day as a person types them, on a host over a real sshd and on this machine: one walk."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from remote.hosts.host import LOCAL
from remote.hosts.hosts_edit import add_hosts
from remote.session.session import Session, connect
from tests.end_to_end.ssh.box import Box
from tests.remote.conftest import end_everything
from tests.tui.commands.conftest import Photinus, photinus
from tests.waiting import wait_until
from trainer.run.home import open_home

__all__ = ["photinus"]
TRAIN = """
import pathlib, signal, sys, time
state, asked = pathlib.Path("step"), []
signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
signal.signal(signal.SIGUSR1, lambda *_: print("usr1", flush=True))
step = int(state.read_text()) if state.exists() else 0
print("at", step, flush=True)
while not asked:
    time.sleep(0.02)
state.write_text(str(step + 7))
"""


class Kept:
    """A session that commands share: they close it, and it stays."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def close(self) -> None:
        """It is closed at the end."""


@pytest.fixture
def shared(box: Box, monkeypatch: pytest.MonkeyPatch, laptop: Any) -> Iterator[None]:
    """One connection and one agent a host for all commands of the walk."""
    add_hosts([box.host])
    with box.session() as far, connect(LOCAL) as here:
        links = {box.host.name: Kept(far), LOCAL.name: Kept(here)}
        monkeypatch.setattr("tui.commands.host_session.reach", lambda host: links[host.name])
        monkeypatch.setattr("tui.commands.prompts.reach", lambda host: links[host.name])
        yield
    end_everything(laptop.root)


@contextmanager
def told(run_log: Path, text: str) -> Iterator[None]:
    yield
    wait_until(lambda: run_log.exists() and text in run_log.read_text(), 20.0, f"{text!r} in {run_log}")


def test_every_day_over_ssh(
    photinus: Photinus,
    box: Box,
    shared: None,
    tmp_path: Path,
    laptop: Any,
) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "train.py").write_text(TRAIN)
    subprocess.run(["git", "init", "-q"], cwd=code, check=True)
    ship = ("--ship", str(code), "--command", "--resume-command", f"{sys.executable} -I -S train.py")

    # start, with code: it goes once
    said = photinus(
        "start",
        "--host",
        "box",
        "--tag",
        "night",
        "--json",
        *ship,
        "--",
        sys.executable,
        "-I",
        "-S",
        "train.py",
    )
    assert said.code == 0, said.err
    assert "sent" in said.err
    a = said.json["run_id"]
    run = box.run(a)
    with told(run.log(1), "at 0"):
        pass
    said = photinus(
        "start", "--host", "box", "--queue", "--json", *ship, "--", sys.executable, "-I", "-S", "train.py"
    )
    assert "were there already" in said.err
    b = said.json["run_id"]
    assert said.json["state"] == "queued"

    assert photinus("start", "--host", "box", "--ship", str(code), "--preset", "kssm-v3-tiny").code == 2

    # words, looks and signals
    assert photinus("wait", f"box:{a}", "--until", "running").code == 0
    assert photinus("rename", f"box:{a}", "größe", "--json").json["name"] == "größe"
    assert photinus("tag", "box:größe", "two", "--json").json["tags"] == ["night", "two"]
    assert photinus("note", f"box:{a}", "hello", "--json").json["note"] == "hello"
    with told(run.log(1), "usr1"):
        assert photinus("signal", f"box:{a}", "USR1").code == 0
    assert photinus("save", f"box:{a}").code == 3
    assert [one["run_id"] for one in photinus("top", "--host", "box", "--json").json["runs"]] == [a]
    assert photinus("diff", f"box:{a}", f"box:{b}", "--json").json == []
    assert photinus("clone", f"box:{a}", "--show", "--json").json["diff"] == []
    assert [row["run_id"] for row in photinus("ls", "--host", "box", "--tag", "two", "--json").json] == [a]
    assert "code " in photinus("show", f"box:{a}").out

    # the line
    held = photinus("queue", "hold", f"box:{b}", "--json").json
    assert [(row["run_id"], row["held"]) for row in held] == [(b, True)]
    assert photinus("queue", "move", f"box:{b}", "1").code == 0
    assert photinus("queue", "--host", "box", "--json").json[0]["place"] == 1

    # a text that comes along
    (tmp_path / "book.txt").write_text("a book\n" * 2000)
    words = ("start", "--host", "box", "--preset", "kssm-v3-tiny", "--hold", "--json")
    said = photinus(*words, "--data", f"local:{tmp_path / 'book.txt'}", "--set", "device=cpu")
    assert said.code == 0, said.err
    c = said.json["run_id"]
    there = next((box.root / "corpora").glob("book-*/book.txt"))
    assert f'"{there}"' in box.run(c).spec.read_text()
    assert photinus("stop", f"box:{c}").code == 0

    # it moves, and goes on where it was
    said = photinus("move", f"box:{a}", "local", "--json")
    assert said.code == 0, said.err
    assert (said.json["run_id"], said.json["host"], said.json["moved_from"]) == (a, "local", "box")
    here = open_home(laptop.root).run(a)
    with told(here.log(2), "at 7"):
        pass
    gone = photinus("show", f"box:{a}")
    assert (gone.code, f"was moved to local:{a}" in gone.err) == (6, True)
    assert not run.path.exists()
    assert photinus("stop", a).code == 0
    assert photinus("move", f"box:{b}", "box").code == 3

    # away and back
    assert photinus("kill", f"box:{b}").code in (0, 1)
    assert photinus("archive", f"box:{b}", "--json").json["where"] == "archive"
    assert photinus("restore", f"box:{b}", "--json").json["where"] == "runs"
    assert photinus("rm", f"box:{b}", "--json").json["where"] == "trash"
    assert photinus("restore", f"box:{b}").code == 0
    assert photinus("archive", f"box:{b}", "--to", "local", "--json").json["where"] == f"local:{b}"
    assert [row["run_id"] for row in photinus("ls", "--host", "local", "--archived", "--json").json] == [b]
    assert photinus("rm", f"box:{c}").code == 0
    assert photinus("rm", "--purge", "--host", "box", "--json").json["removed"] == [c]
    assert photinus("ls", "--host", "box", "--json").json == []
