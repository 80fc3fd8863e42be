"""The wheel on its way, over a real sshd: resumed, verified, sent again when damaged; two clients at once."""

import hashlib
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from remote.deploy.on_host import stage
from remote.deploy.upload import send, upload
from remote.deploy.wheel import Wheel
from remote.protocol.errors import CallError
from remote.ssh.client import SshClient, connect
from remote.transport.base import ConnectAttempt
from tests.sshd.server import Sshd

DATA = bytes(range(256)) * 4096
WHEEL = Wheel("photinus-1-py3-none-any.whl", "1", hashlib.sha256(DATA).hexdigest(), DATA)


@pytest.fixture
def client(sshd: Sshd) -> Iterator[SshClient]:
    opened = connect(sshd.host("plain"), ConnectAttempt())
    yield opened
    opened.close()


@pytest.fixture
def home(sshd: Sshd) -> Path:
    return sshd.home("plain") / "state" / "root"


def carry(client: SshClient, home: Path, lines: list[str] | None = None) -> int:
    return upload(client, sys.executable, str(home), WHEEL, (lines if lines is not None else []).append)


def test_sent_verified_and_not_sent_again(client: SshClient, home: Path) -> None:
    assert carry(client, home) == len(DATA)
    kept = home / "cas" / f"{WHEEL.sha256}.whl"
    assert kept.read_bytes() == DATA
    assert (home.stat().st_mode & 0o777, kept.stat().st_mode & 0o777) == (0o700, 0o600)
    assert carry(client, home) == 0
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


def test_a_broken_upload_goes_on_where_it_ended(client: SshClient, home: Path) -> None:
    home.mkdir(mode=0o700, parents=True)
    (home / "cas").mkdir()
    half = len(DATA) // 2 + 7
    (home / "cas" / f"{WHEEL.sha256}.whl.part").write_bytes(DATA[:half])
    lines: list[str] = []
    assert carry(client, home, lines) == len(DATA) - half
    assert f"from byte {half:,}" in lines[0]


def test_a_damaged_half_is_sent_again_from_the_start(client: SshClient, home: Path) -> None:
    home.mkdir(mode=0o700, parents=True)
    (home / "cas").mkdir()
    part = home / "cas" / f"{WHEEL.sha256}.whl.part"
    part.write_bytes(b"z" * 1000)
    lines: list[str] = []
    assert carry(client, home, lines) == 2 * len(DATA) - 1000
    assert "once more" in lines[1]
    assert (home / "cas" / f"{WHEEL.sha256}.whl").read_bytes() == DATA


def test_a_wheel_that_rots_on_the_host_is_not_taken_for_good(client: SshClient, home: Path) -> None:
    carry(client, home)
    (home / "cas" / f"{WHEEL.sha256}.whl").write_bytes(b"rot")
    assert carry(client, home) == len(DATA)


def test_what_never_arrives_whole_is_refused(client: SshClient, home: Path) -> None:
    wrong = Wheel(WHEEL.name, "1", "0" * 64, DATA)
    with pytest.raises(CallError, match="arrives damaged"):
        upload(client, sys.executable, str(home), wrong, lambda _line: None)
    assert not list((home / "cas").iterdir())


def test_a_state_root_open_to_others_is_refused(client: SshClient, home: Path) -> None:
    home.mkdir(mode=0o755, parents=True)
    home.chmod(0o755)
    with pytest.raises(CallError, match="not a private folder") as caught:
        carry(client, home)
    assert "chmod 700" in caught.value.remedy


def test_two_clients_at_once_make_one_good_wheel(client: SshClient, sshd: Sshd, home: Path) -> None:
    other = connect(sshd.host("plain"), ConnectAttempt())
    sent: list[int] = []
    threads = [
        threading.Thread(target=lambda one=one: sent.append(carry(one, home))) for one in (client, other)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    other.close()
    assert len(sent) == 2
    assert (home / "cas" / f"{WHEEL.sha256}.whl").read_bytes() == DATA


@pytest.mark.parametrize(("kept", "good"), [(DATA, True), (b"other", False)])
def test_a_wheel_that_another_client_accepts_in_the_same_moment_is_good(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    kept: bytes,
    good: bool,
) -> None:
    final = tmp_path / "cas" / f"{WHEEL.sha256}.whl"
    part = final.with_name(final.name + ".part")
    part.parent.mkdir()
    part.write_bytes(DATA)
    honest = stage._hash

    def overtaken(path: Path) -> str:
        found = honest(path)
        if path == part:
            part.unlink()
            final.write_bytes(kept)
        return found

    monkeypatch.setattr(stage, "_hash", overtaken)
    stage.accept(str(tmp_path), WHEEL.sha256)
    assert json.loads(capsys.readouterr().out.split(maxsplit=1)[1]) == {"done": {"good": good}}


def test_a_file_that_another_writes_is_never_truncated(client: SshClient, home: Path) -> None:
    home.mkdir(mode=0o700, parents=True)
    path = home / "part"
    path.write_bytes(DATA)
    send(client, str(path), DATA, len(DATA) - 10)
    assert path.read_bytes() == DATA
