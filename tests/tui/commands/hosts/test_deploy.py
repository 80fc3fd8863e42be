"""`hosts deploy`, `autostart`, `doctor` as commands. What a deploy does is told in tests/remote/deploy."""

from collections.abc import Callable

import pytest

from remote.agent.starts.autostart import BOOTED
from remote.agent.starts.boot_units import unit_name
from remote.hosts.host import Host
from remote.hosts.hosts_edit import add_hosts
from remote.hosts.lookup import load_hosts
from remote.hosts.placement import Placement, read_placement
from remote.protocol.errors import Question, QuestionError
from remote.session.last_seen import last_seen
from remote.transport.base import ConnectAttempt
from tests.sshd.server import Sshd
from tests.tui.commands.conftest import Photinus
from tui.commands.hosts.deploy import autostart_words


@pytest.fixture
def carried(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A deploy that takes no time: it puts this checkout's agent in place. The names it was called with."""
    names: list[str] = []

    def carry(
        host: Host, dial: ConnectAttempt, say: Callable[[str], None], *, force: bool = False
    ) -> Placement:
        say("the wheel is there already")
        names.append(f"{host.name}!" if force else host.name)
        if host.name == "asking" and not dial.answers.accepted_proxies:
            question = Question("proxy_command", host.name, "nc", fingerprint="SHA256:p")
            raise QuestionError("proxy_unconfirmed", "it goes through `nc`", "", question)
        if host.name == "dead":
            raise OSError("no route to host")
        sshd.place(host)
        placement = read_placement(host)
        assert placement is not None
        return placement

    monkeypatch.setattr("remote.deploy.deploy.deploy", carry)
    return names


def test_a_deploy_talks_on_stderr_and_the_host_is_known_afterwards(
    sshd: Sshd, carried: list[str], photinus: Photinus
) -> None:
    add_hosts([sshd.host("plain", name="box")])
    done = photinus("hosts", "deploy", "box", "--json", "--force")
    assert (done.code, done.json["name"], carried) == (0, "box", ["box!"])
    assert "the wheel is there already" in done.err
    seen = last_seen("box")
    assert seen is not None
    add_hosts([sshd.host("plain", name="twin")])
    again = photinus("hosts", "deploy", "twin")
    assert (again.code, "the same host as box" in again.err, carried[1:]) == (0, True, ["twin"])


def test_a_host_is_added_and_deployed_to_in_one_command(
    sshd: Sshd, carried: list[str], photinus: Photinus
) -> None:
    sshd.trust()
    done = photinus("hosts", "add", "box", sshd.address("plain"), "--deploy", "--json")
    assert (done.code, carried, [host.name for host in load_hosts()]) == (0, ["box"], ["local", "box"])
    assert done.json["deployed"]["python"]
    sshd.trust()
    other = photinus("hosts", "add", "other", sshd.address("plain"), "--no-deploy", "--json")
    assert (other.code, other.json["deployed"], carried) == (0, None, ["box"])


def test_what_goes_wrong_has_its_code(sshd: Sshd, carried: list[str], photinus: Photinus) -> None:
    add_hosts([Host("dead", "me@127.0.0.1:1"), Host("asking", "me@127.0.0.1:1")])
    assert photinus("hosts", "deploy", "dead").code == 5
    assert photinus("hosts", "deploy", "asking").code == 3  # nobody is there to be asked
    assert photinus("hosts", "deploy", "local").code == 2
    assert photinus("hosts", "deploy", "nobody").code == 6
    assert carried == ["dead", "asking"]


def test_who_only_looks_deploys_nothing(
    sshd: Sshd, carried: list[str], photinus: Photinus, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_hosts([sshd.host("plain", name="box")])
    monkeypatch.setenv("PHOTINUS_READ_ONLY", "1")
    assert (photinus("hosts", "deploy", "box").code, carried) == (3, [])
    monkeypatch.delenv("PHOTINUS_READ_ONLY")
    assert photinus("hosts", "deploy", "box").code == 0


def test_autostart_is_arranged_on_the_host(sshd: Sshd, photinus: Photinus) -> None:
    host = sshd.host("plain", name="box")
    sshd.place(host)
    add_hosts([host])
    done = photinus("hosts", "autostart", "box", "--json")
    unit = sshd.home("plain") / ".config" / "systemd" / "user" / unit_name(f"{sshd.home('plain')}/.photinus")
    if not BOOTED.is_dir():
        assert (done.code, "-m remote.agent --contact" in done.err, unit.exists()) == (3, True, False)
        return
    assert (done.code, done.json["installed"], str(unit) in done.json["files"]) == (0, True, True)
    assert unit.exists()
    assert "linger" in photinus("hosts", "autostart", "box").out
    assert (photinus("hosts", "autostart", "box", "--remove").code, unit.exists()) == (0, False)


def test_what_autostart_cannot_do_is_said() -> None:
    told = {
        "name": "box",
        "kind": "systemd",
        "installed": True,
        "changed": True,
        "files": ["f"],
        "notes": ["n1"],
    }
    assert autostart_words(told).splitlines()[-1] == "  n1"
    assert "--restart on-failure" in autostart_words(told)
    assert "it did already" in autostart_words(told | {"changed": False})
    assert "any more" in autostart_words(told | {"installed": False})
    assert "any more" not in autostart_words(told | {"installed": False, "changed": False})


def test_doctor_is_the_doctor_of_that_host(photinus: Photinus, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, bool]] = []

    def doctor(host: str, *, deep: bool, as_json: bool) -> int:
        assert not deep
        asked.append((host, as_json))
        return 0

    monkeypatch.setattr("tui.commands.hosts.deploy.examine_host", doctor)
    add_hosts([Host("box", "me@127.0.0.1:1")])
    assert photinus("hosts", "doctor", "box", "--json").code == 0
    assert asked == [("box", True)]
    assert photinus("hosts", "doctor", "nobody").code == 6
