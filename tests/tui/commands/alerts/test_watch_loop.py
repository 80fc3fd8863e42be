"""The files of the operator while the watch runs: what changed is taken, what is at fault changes nothing."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from remote.hosts.host import LOCAL, Host
from remote.hosts.hosts_file import hosts_path
from tests.tui.fake import FakeSession
from tests.tui.notices.receiver import Receiver, receiving
from tests.waiting import wait_until
from tui.commands.alerts.watch_loop import WatchLoop
from tui.commands.alerts.watched_hosts import WatchedHosts
from tui.notices.notice import notice
from tui.notices.notice_journal import NoticeJournal
from tui.notices.notice_sender import NoticeSender
from tui.notices.notices_file import notices_path, read_channels
from tui.store.store import Store


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "home"))

    def session(host: Host, **_: object) -> FakeSession:
        return FakeSession(host.name, address=host.address)

    monkeypatch.setattr("tui.commands.alerts.watch_loop.Session", session)
    with receiving() as one:
        yield one


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(text)
    path.chmod(0o600)


def test_channels_and_hosts_are_taken_when_their_files_change(
    receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    def channel(name: str) -> str:
        return f"channels: {{{name}: {{kind: webhook, url: '{receiver.url(name)}'}}}}"

    write(notices_path(), channel("a"))
    sender = NoticeSender(read_channels(), NoticeJournal())
    loop = WatchLoop([LOCAL], WatchedHosts(Store([LOCAL]), NoticeJournal()), sender, as_json=False)

    def sent_to(occasion: str) -> set[str]:
        loop.read_again()
        (one,) = sender.add([notice("gpu", "h", "r", "ended", occasion, "error", "r failed", 1.0)])
        sender.pump(time.time())
        wait_until(lambda: one.key in {key for _, key in receiver.taken})
        sender.finish(10.0)
        return {path for path, key in receiver.taken if key == one.key}

    assert sent_to("1") == {"a"}
    write(notices_path(), channel("bee"))
    assert sent_to("2") == {"bee"}
    write(notices_path(), "channels: {x: {kind: pigeon}}")
    assert sent_to("3") == {"bee"}
    assert "kind of channel x must be one of" in capsys.readouterr().err
    notices_path().unlink()
    assert sent_to("4") == {"bee"}
    assert sorted(loop.sessions) == ["local"]
    write(hosts_path(), "gpu: ada@gpu.example.org\n")
    loop.read_again()
    assert sorted(loop.sessions) == ["gpu", "local"]
    before = loop.sessions["gpu"]
    write(hosts_path(), "gpu: ada@gpu2.example.org\nstudio: ada@studio.example.org\n")
    loop.read_again()
    assert sorted(loop.sessions) == ["gpu", "local", "studio"]
    assert loop.sessions["gpu"] is not before
    write(hosts_path(), "gpu: [\n")
    loop.read_again()
    assert sorted(loop.sessions) == ["gpu", "local", "studio"]
    write(hosts_path(), "")
    loop.read_again()
    assert sorted(loop.sessions) == ["local"]
