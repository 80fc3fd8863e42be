"""`photinus hosts` against a real sshd, as a script uses it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from remote.actions import kill_run, start_run
from remote.hosts.host import LOCAL, Host
from remote.hosts.hosts_edit import add_hosts
from remote.hosts.hosts_file import hosts_path
from remote.hosts.lookup import find_host, load_hosts
from remote.hosts.placement import read_placement
from remote.session.last_seen import last_seen, note
from remote.session.session import connect
from tests.remote.calling import call
from tests.remote.scripts import request as command_request
from tests.sshd.client import Laptop
from tests.sshd.server import Sshd, User
from tests.tui.commands.conftest import Photinus


def steps(told: Any) -> dict[str, Any]:
    return {step["name"]: step["ok"] for step in told["steps"]}


def step(told: Any, name: str) -> Any:
    return next(step for step in told["steps"] if step["name"] == name)


@pytest.fixture
def box(sshd: Sshd, tmp_path: Path) -> Host:
    """A host of hosts.yaml whose key is trusted and whose agent is in place."""
    host = sshd.host("plain", name="box")
    sshd.place(host, tmp_path / "state")
    add_hosts([host])
    return host


def test_a_new_host_is_refused_until_its_key_is_accepted_and_then_it_is_added(
    sshd: Sshd, photinus: Photinus
) -> None:
    address = sshd.address("plain")
    unknown = photinus("hosts", "add", "box", address, "--json")
    assert (unknown.code, unknown.out) == (3, "")
    given = f"photinus hosts add box {address} --accept-host-key {sshd.host_key_fingerprint}"
    assert given in unknown.err
    assert load_hosts() == [LOCAL]

    wrong = photinus("hosts", "add", "box", address, "--accept-host-key", "SHA256:" + "A" * 43)
    assert (wrong.code, load_hosts()) == (3, [LOCAL])
    assert sshd.host_key_fingerprint in wrong.err

    done = photinus("hosts", "add", "box", address, "--json", "--accept-host-key", sshd.host_key_fingerprint)
    assert done.code == 0, done.err
    assert set(steps(done.json).values()) == {True}
    assert list(steps(done.json)) == ["config", "dns", "tcp", "host key", "auth", "shell", "python", "files"]
    assert load_hosts() == [LOCAL, Host("box", address)]
    assert hosts_path().stat().st_mode & 0o777 == 0o600
    assert "photinus hosts deploy box" in done.err

    again = photinus("hosts", "add", "box", address)
    assert (again.code, "already" in again.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-box", "x"), "box"),
        (("box", "-oProxyCommand=reboot"), "ProxyCommand"),
        (("box", "a;b"), "is no address of a host"),
        (("../box", "x"), "is no name for a host"),
        (("local", "x"), "is this machine"),
        (("box", "x", "--home", "relative"), "--home must be an absolute path"),
        (("box", "x", "--python", "/a b/python"), "plain characters"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_reached(
    photinus: Photinus, words: tuple[str, ...], said: str
) -> None:
    done = photinus("hosts", "add", *words)
    assert (done.code, done.out, said in done.err) == (2, "", True), done.err
    assert not hosts_path().exists()


def test_a_host_that_is_away_is_not_added_unless_it_is_wanted_so(photinus: Photinus) -> None:
    away = photinus("hosts", "add", "box", "me@127.0.0.1:1")
    assert (away.code, load_hosts()) == (5, [LOCAL])
    assert "FAILED tcp" in away.err
    assert "remedy:" in away.err
    done = photinus(
        "hosts", "add", "box", "me@127.0.0.1:1", "--no-test", "--confirm", "name", "--auto-pull", "best"
    )
    assert (done.code, load_hosts()[1:]) == (
        0,
        [Host("box", "me@127.0.0.1:1", confirm="name", auto_pull="best")],
    )


def test_each_step_to_a_host_is_told(sshd: Sshd, box: Host, photinus: Photinus) -> None:
    told = photinus("hosts", "test", "box", "--json")
    assert told.code == 0, told.err
    assert sshd.log.read_text().count("Accepted publickey") == 1, "one touch of a key that wants one"
    assert list(steps(told.json))[-4:] == ["python", "files", "agent", "round trip"]
    assert set(steps(told.json).values()) == {True}
    assert told.json["host_id"]
    assert (told.json["same_as"], "not honoured" in step(told.json, "config")["said"]) == ([], False)
    words = photinus("hosts", "test", "box")
    assert (words.code, words.err) == (0, "")
    assert [line.split()[0] for line in words.out.splitlines()] == ["ok"] * len(told.json["steps"])


def test_a_host_without_an_agent_is_told_what_comes_next(sshd: Sshd, photinus: Photinus) -> None:
    add_hosts([sshd.host("plain", name="box")])
    told = photinus("hosts", "test", "box", "--json")
    assert (told.code, step(told.json, "agent")["ok"]) == (0, None)
    assert step(told.json, "agent")["remedy"] == "photinus hosts deploy box"


def test_a_changed_key_is_a_hard_stop_with_both_fingerprints(
    sshd: Sshd, box: Host, photinus: Photinus
) -> None:
    before = sshd.host_key_fingerprint
    sshd.change_host_key()
    told = photinus("hosts", "test", "box", "--accept-host-key", sshd.host_key_fingerprint, "--json")
    failed = step(told.json, "host key")
    assert (told.code, failed["ok"], failed["code"]) == (3, False, "key_changed")
    assert before in failed["said"]
    assert sshd.host_key_fingerprint in failed["said"]


def test_a_host_that_is_down_is_unreachable(sshd: Sshd, box: Host, photinus: Photinus) -> None:
    sshd.stop()
    told = photinus("hosts", "test", "box", "--json")
    assert (told.code, step(told.json, "tcp")["code"]) == (5, "unreachable")


@pytest.mark.parametrize(
    ("bashrc", "code", "said"),
    [
        ("", 0, "quiet"),
        ("echo hello", 0, "prints 6 bytes"),
        ("exit 3", 3, "ended with code 3"),
    ],
)
def test_what_the_login_shell_does_is_told(
    start_sshd: Callable[..., Sshd], photinus: Photinus, bashrc: str, code: int, said: str
) -> None:
    server = start_sshd([User("ada", bashrc=bashrc)])
    add_hosts([server.host("ada", name="box")])
    told = photinus("hosts", "test", "box", "--json")
    assert (told.code, step(told.json, "shell")["ok"]) == (code, code == 0)
    assert said in step(told.json, "shell")["said"]


def test_settings_of_ssh_that_are_not_honoured_are_named(
    sshd: Sshd, laptop: Laptop, box: Host, photinus: Photinus
) -> None:
    laptop.add_config("Host *\n  Compression yes\n")
    told = photinus("hosts", "test", "box", "--json")
    assert "not honoured: compression yes" in step(told.json, "config")["said"]
    laptop.add_config("Host *\n  ControlMaster auto\n  StrictHostKeyChecking accept-new\n")
    said = step(photinus("hosts", "test", "box", "--json").json, "config")["said"]
    assert "not honoured: stricthostkeychecking accept-new; nor, of no account here: compression" in said


def test_two_names_of_one_host_are_told(sshd: Sshd, box: Host, tmp_path: Path, photinus: Photinus) -> None:
    twin, other = Host("twin", address=box.address), Host("other", address=box.address)
    sshd.place(twin, tmp_path / "state")
    sshd.place(other, tmp_path / "another state")
    add_hosts([twin, other])
    troubles = [line for line in photinus("ls", "--json").err.splitlines() if not line.startswith("waiting")]
    assert troubles == [], "every host is heard of, on busy cores a little later"
    listed = {row["name"]: row["same_as"] for row in photinus("hosts", "list", "--json").json}
    assert listed == {"box": ["twin"], "twin": ["box"], "other": [], "local": []}
    told = photinus("hosts", "test", "twin", "--json")
    assert (told.json["same_as"], "the same host as box" in told.err) == (["box"], True)


def test_a_twin_is_known_before_anything_is_deployed_to_it(
    sshd: Sshd, photinus: Photinus, tmp_path: Path
) -> None:
    host = sshd.host("plain", name="box")
    sshd.place(host)  # its state root is ~/.photinus there
    add_hosts([host])
    assert photinus("hosts", "test", "box").code == 0
    done = photinus("hosts", "add", "twin", sshd.address("plain"), "--json")
    assert (done.json["same_as"], "the same host as box" in done.err) == (["box"], True)


def test_the_list_shows_what_is_known_without_asking_anybody(
    sshd: Sshd, box: Host, photinus: Photinus
) -> None:
    row = photinus("hosts", "list", "--json").json[1]
    assert (row["name"], row["last_seen"], row["live"], row["confirm"]) == ("box", None, {}, "twice")
    assert photinus("hosts", "test", "box").code == 0
    sshd.stop()
    row = photinus("hosts", "list", "--json").json[1]
    assert row["last_seen"] is not None
    assert "never seen" not in photinus("hosts").out.splitlines()[1]


def test_a_host_whose_runs_are_not_over_is_not_removed_by_accident(box: Host, photinus: Photinus) -> None:
    with connect(find_host("box")) as session:
        outcome = start_run(session, command_request())
        assert outcome.run is not None, outcome.message
        run = outcome.run
        call(session, "runs")
        note(session)
    refused = photinus("hosts", "remove", "box")
    assert (refused.code, run.run_id in refused.err, find_host("box").name) == (3, True, "box")
    with connect(find_host("box")) as session:
        assert kill_run(session, run.run_id).ok
        call(session, "runs")
        note(session)
    done = photinus("hosts", "remove", "box", "--json")
    assert (done.code, done.json["removed"], load_hosts()) == (0, True, [LOCAL])
    assert (last_seen("box"), read_placement(box)) == (None, None)
    assert photinus("hosts", "remove", "box").code == 6


def test_the_ssh_configs_hosts_are_imported_once(laptop: Laptop, photinus: Photinus) -> None:
    laptop.add_config("Host studio gpu-*\n  User ada\nHost forge\n  User git\nHost a+b\nInclude more\n")
    (laptop.ssh_folder / "more").write_text("Host rack\n")
    planned = photinus("hosts", "import", "--dry-run", "--json").json
    assert ([row["name"] for row in planned["added"]], load_hosts()) == (["studio", "rack"], [LOCAL])
    assert [row["name"] for row in planned["skipped"]] == ["forge", "a+b"]
    assert "studio was added" in photinus("hosts", "import").out
    assert [(host.name, host.address) for host in load_hosts()[1:]] == [
        ("studio", "studio"),
        ("rack", "rack"),
    ]
    text = hosts_path().read_text()
    again = photinus("hosts", "import", "--json").json
    assert (again["added"], hosts_path().read_text()) == ([], text)


def test_a_jump_and_a_name_that_leads_nowhere_are_not_imported(laptop: Laptop, photinus: Photinus) -> None:
    laptop.add_config(
        "Host bastion\n  User ada\nHost node1 node2\n  ProxyJump ada@bastion:22\n"
        "Host round\n  ProxyJump trip\nHost trip\n  ProxyJump round\nHost far\n  HostName a;b\n"
        "Host cable\n  HostName fe80::1%%en5\n"
    )
    told = photinus("hosts", "import", "--json").json
    assert [row["name"] for row in told["added"]] == ["node1", "node2", "cable"]
    why = {row["name"]: row["why"] for row in told["skipped"]}
    assert "the jump before node1; photinus hosts add bastion" in why["bastion"]
    assert "in a circle" in why["round"]
    assert "in a circle" in why["trip"]
    assert "mend HostName" in why["far"]


def test_a_bad_file_is_told_with_its_line_by_every_command(photinus: Photinus) -> None:
    hosts_path().parent.mkdir(parents=True, mode=0o700)
    hosts_path().parents[1].chmod(0o700)
    hosts_path().write_text("box:\n  adress: x\n")
    for words in (
        ["ls"],
        ["hosts"],
        ["hosts", "add", "a", "b"],
        ["show", "x"],
        ["start", "--command", "--", "true"],
    ):
        done = photinus(*words)
        assert (done.code, done.out) == (2, ""), words
        assert f"{hosts_path()} line 2: unknown key 'adress'" in done.err
    from tui.commands.cockpit import known_hosts

    hosts, trouble = known_hosts()
    assert (hosts, "line 2" in trouble) == ([LOCAL], True)


def test_a_way_over_a_jump_and_one_over_a_command_are_walked_too(
    start_sshd: Callable[..., Sshd], laptop: Laptop, photinus: Photinus
) -> None:
    near, far = start_sshd([User("ada")], name="near"), start_sshd([User("ada")], name="far")
    near.trust()
    far.trust()
    laptop.add_config(f"Host far\n  HostName 127.0.0.1\n  Port {far.port}\n  User ada\n  ProxyJump near")
    laptop.add_config(f"Host near\n  HostName 127.0.0.1\n  Port {near.port}\n  User ada")
    odd = f"Host odd\n  User ada\n  HostKeyAlias [127.0.0.1]:{far.port}"
    laptop.add_config(f"{odd}\n  ProxyCommand ssh -q -W 127.0.0.1:{far.port} near")
    laptop.add_known_host(near.known_hosts_line())
    told = photinus("hosts", "add", "far", "--json")
    assert told.code == 0, told.err
    names = [step["name"] for step in told.json["steps"]]
    assert names == [
        "config",
        "dns",
        "tcp",
        "host key",
        "auth",
        "tcp via near",
        "host key",
        "auth",
        "shell",
        "python",
        "files",
    ]

    asked = photinus("hosts", "add", "odd", "--json")
    assert (asked.code, f"ssh -q -W 127.0.0.1:{far.port} near" in asked.err) == (3, True)
    option = asked.err.split("--accept-proxy-command ")[1].split()[0]
    assert photinus("hosts", "add", "odd", "--accept-proxy-command", "0" * 64).code == 3
    done = photinus("hosts", "add", "odd", "--accept-proxy-command", option, "--json")
    assert done.code == 0, done.err
