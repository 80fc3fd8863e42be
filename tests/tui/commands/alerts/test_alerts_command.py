"""`photinus alerts ...` as a person and a service manager call it, with a real server and a real host."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.remote.finished_runs import finish
from tests.sshd.client import Laptop
from tests.tui.commands.conftest import Photinus
from tests.tui.notices.receiver import Receiver, receiving
from tests.waiting import wait_until
from trainer.run.states import State


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def write_channels(root: Path, text: str) -> Path:
    path = root / "client" / "alerts" / "notices.yaml"
    path.parent.mkdir(mode=0o700, parents=True)
    for folder in (root, root / "client"):
        folder.chmod(0o700)
    path.write_text(text)
    path.chmod(0o600)
    return path


def begin_watch(log: Path) -> "subprocess.Popen[bytes]":
    with log.open("ab") as file:
        words = [sys.executable, "-m", "photinus", "alerts", "watch"]
        return subprocess.Popen(words, stdout=file, stderr=file, env=dict(os.environ))


def test_a_watch_that_is_killed_goes_on_under_the_same_key_and_a_second_one_is_refused(
    laptop: Laptop, photinus: Photinus, receiver: Receiver, tmp_path: Path
) -> None:
    finish(laptop.root, "bad-aaaaaa", state=State.FAILED, ended=time.time() - 60)
    write_channels(laptop.root, f"channels: {{hook: {{kind: webhook, url: '{receiver.url('sekrit')}'}}}}")
    log = tmp_path / "log"
    watch = begin_watch(log)
    try:
        receiver.on_taken = lambda _: os.kill(watch.pid, signal.SIGKILL)  # taken, and never answered
        wait_until(lambda: watch.poll() is not None, 30.0, "the end of the first watch")
        receiver.on_taken = lambda _: None
        watch = begin_watch(log)
        wait_until(lambda: len(receiver.taken) == 2, 30.0, "the notice again")
        second = photinus("alerts", "watch")
        assert (second.code, second.out) == (4, "")
        assert f"(process {watch.pid})" in second.err
        (row,) = photinus("alerts", "list", "--json").json
        watch.send_signal(signal.SIGTERM)
        assert watch.wait(60.0) == 0
    finally:
        if watch.poll() is None:
            watch.kill()
            watch.wait()
    assert len({key for _, key in receiver.taken}) == 1
    assert (row["run"], row["host"], row["rule"], row["level"]) == ("bad-aaaaaa", "local", "ended", "error")
    listed = photinus("alerts")
    assert "hook sent" in listed.out
    assert "bad-aaaaaa on local" in listed.out
    assert "nobody watches now" in listed.err
    kept = [log, *(path for path in laptop.root.rglob("*") if path.is_file() and path.name != "notices.yaml")]
    assert [path for path in kept if b"sekrit" in path.read_bytes()] == []


def test_what_the_watch_cannot_begin_with_is_told_with_the_remedy(laptop: Laptop, photinus: Photinus) -> None:
    for verb in ("watch", "test", "autostart"):
        said = photinus("alerts", verb)
        assert (said.code, said.out) == (2, "")
        assert "chmod 600" in said.err
    path = write_channels(laptop.root, "channels: {a: {kind: command, command: ['true']}}")
    path.chmod(0o644)
    assert photinus("alerts", "watch").code == 3
    assert photinus("alerts", "list", "--json").json == []


def test_a_test_says_of_each_channel_what_came(
    laptop: Laptop, photinus: Photinus, receiver: Receiver
) -> None:
    receiver.answers["gone"].append(404)
    text = "".join(
        f"  {name}: {{kind: {kind}, url: '{receiver.url(name)}', level: error}}\n"
        for name, kind in (("a", "slack"), ("gone", "ntfy"))
    )
    write_channels(laptop.root, f"channels:\n{text}  c: {{kind: command, command: [sh, -c, 'exit 0']}}\n")
    said = photinus("alerts", "test")
    assert said.code == 1
    assert said.out.splitlines() == [
        "a (slack): sent: 200 OK", "gone (ntfy): not sent: 404 Not Found", "c (command): sent: done",
    ]  # fmt: skip
    rows = photinus("alerts", "test", "--json").json
    assert [(row["channel"], row["ok"]) for row in rows] == [("a", True), ("gone", True), ("c", True)]
