"""Deploys over a real sshd: an account with nothing of ours, and an interpreter that has torch."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from remote.actions import start_run
from remote.actions.deployed import check, clean
from remote.deploy import deploy as deploying
from remote.deploy.deploy import deploy
from remote.deploy.on_host.installed import read_installed
from remote.deploy.wheel import Wheel, our_wheel, pack, sources
from remote.hosts.host import Host
from remote.hosts.placement import forget_placement, read_placement, write_placement
from remote.protocol.errors import CallError
from remote.protocol.version import version
from remote.session.session import Session, connect
from remote.transport.base import ConnectAttempt
from tests.remote.calling import call
from tests.remote.scripts import BRIEF, request
from tests.sshd.client import Laptop
from tests.sshd.server import Sshd, User
from tests.trials import trials
from tests.waiting import wait_until


@pytest.fixture
def host(sshd: Sshd) -> Host:
    """A host for commands: nothing is downloaded, and nothing of torch is tried."""
    return sshd.host("plain", "box", python=sys.executable, torch="none")


@pytest.fixture
def wheel(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> Wheel:
    """What this client deploys, whoever edits its files meanwhile."""
    made = our_wheel()
    monkeypatch.setattr(deploying, "our_wheel", lambda: made)
    return made


def quiet(_line: str) -> None:
    """Nobody listens."""


def deployed(session: Session) -> str:
    """The environment that answers."""
    assert session.hello is not None
    return session.hello.env


@pytest.mark.timeout(300)
def test_an_account_with_nothing_installed_can_train_afterwards(sshd: Sshd, wheel: Wheel) -> None:
    host = sshd.host("plain", "box", python=sys.executable)
    lines: list[str] = []
    placement = deploy(host, ConnectAttempt(), lines.append)
    said = "\n".join(lines)
    for word in ("sending photinus-", "modules imported", "agree with float64", "the agent answers"):
        assert word in said
    note = read_installed(sshd.home("plain") / ".photinus" / "envs" / placement.env)
    assert note is not None
    assert (note.home, note.wheel, note.torch) == (placement.home, wheel.sha256, "borrowed")
    assert placement.home == str(sshd.home("plain") / ".photinus")
    assert read_placement(host) == placement


def test_a_second_deploy_finds_all_there(host: Host, wheel: Wheel) -> None:
    first, lines = deploy(host, ConnectAttempt(), quiet), list[str]()
    assert replace(deploy(host, ConnectAttempt(), lines.append), at=0) == replace(first, at=0)
    assert any("there already" in line for line in lines)
    assert not any("sending" in line for line in lines)
    forced = deploy(host, ConnectAttempt(), quiet, force=True)
    assert forced.env != first.env, "what may be in use is never built again in place"


def test_hello_and_check_tell_what_is_deployed_and_a_run_is_pinned_to_it(host: Host, wheel: Wheel) -> None:
    placement = deploy(host, ConnectAttempt(), quiet)
    with connect(host) as session:
        hello = session.hello
        assert hello is not None
        assert (hello.wheel_sha256, hello.env, hello.version) == (wheel.sha256, placement.env, wheel.version)
        assert hello.host_id == placement.host_id
        told = check(session)
        assert [(one.env, one.why[:2]) for one in told.environments] == [
            (placement.env, ("one of the last two", "its agent is asked"))
        ]
        run = start_run(session, request(BRIEF)).run
        assert run is not None
        assert call(session, "run", {"run_id": run.run_id})["spec"]["env_hash"] == placement.env


@pytest.mark.chaos
@pytest.mark.skipif(trials(0, 1) == 0, reason="a whole build: `make chaos` runs it")
def test_an_environment_that_somebody_damaged_is_replaced_by_another(host: Host, wheel: Wheel) -> None:
    first, lines = deploy(host, ConnectAttempt(), quiet), list[str]()
    next(Path(first.home).glob("envs/*/lib/*/site-packages/remote/agent/service.py")).write_text("broken(")
    second = deploy(host, ConnectAttempt(), lines.append)
    assert second.env != first.env
    assert any("it does not work" in line for line in lines)


def test_before_a_deploy_the_remedy_is_named_and_nothing_is_made(sshd: Sshd, host: Host) -> None:
    with pytest.raises(CallError) as caught:
        connect(host)
    assert caught.value.code == "need_deploy"
    assert "photinus hosts deploy box" in caught.value.remedy
    assert [path.name for path in sshd.home("plain").iterdir()] == [".bashrc"]


@pytest.mark.chaos
@pytest.mark.skipif(trials(0, 1) == 0, reason="a whole build: `make chaos` runs it")
def test_another_laptop_finds_what_is_there_and_a_note_of_what_is_gone_is_forgotten(
    host: Host, wheel: Wheel
) -> None:
    placement = deploy(host, ConnectAttempt(), quiet)
    assert forget_placement(host, placement)
    with connect(host) as session:
        assert deployed(session) == placement.env
    assert replace(read_placement(host) or placement, at=0) == replace(placement, at=0)
    write_placement(host, replace(placement, python=placement.python.replace(placement.env, "0" * 16)))
    with connect(host, timeout=30.0) as session:
        assert deployed(session) == placement.env


@pytest.mark.chaos
@pytest.mark.skipif(trials(0, 1) == 0, reason="a whole build: `make chaos` runs it")
def test_an_edit_is_another_environment_without_a_download_and_the_old_agent_lives_on(
    host: Host, wheel: Wheel, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = deploy(host, ConnectAttempt(), quiet)
    edited = pack(sources() | {"remote/an_edit.py": b"x = 1\n"}, version())
    monkeypatch.setattr(deploying, "our_wheel", lambda: edited)
    lines: list[str] = []
    with connect(host) as old:
        second = deploy(host, ConnectAttempt(), lines.append)
        assert call(old, "ping", {"n": 1})["n"] == 1
    assert second.env != first.env
    assert any("nothing to download" in line for line in lines)
    with connect(host) as session:
        assert deployed(session) == second.env
        assert {one.env for one in check(session).environments} == {first.env, second.env}
        assert clean(session).removed == ()


def test_a_host_that_cannot_be_deployed_to_is_left_as_it_was(sshd: Sshd) -> None:
    host = sshd.host("plain", "box", python="/nowhere/python")
    with pytest.raises(CallError, match="no Python that runs there"):
        deploy(host, ConnectAttempt(), lambda _line: None)
    assert list(sshd.home("plain").iterdir()) == [sshd.home("plain") / ".bashrc"]
    assert read_placement(host) is None


def test_this_machine_needs_none() -> None:
    with pytest.raises(CallError, match="needs no deploy"):
        deploy(Host("local"), ConnectAttempt(), lambda _line: None)


def test_a_login_shell_that_prints_without_a_line_end_is_no_hindrance(
    start_sshd: Callable[..., Sshd], wheel: Wheel
) -> None:
    sshd = start_sshd([User("noisy", bashrc="printf 'welcome, no newline'")])
    host, lines = sshd.host("noisy", "box", python=sys.executable, torch="none"), list[str]()
    placement = deploy(host, ConnectAttempt(), lines.append)
    assert not any("not cleaned away" in line for line in lines), lines
    with connect(host) as session:
        assert deployed(session) == placement.env


def test_giving_up_leaves_nothing_half_done_on_the_host(sshd: Sshd, host: Host, wheel: Wheel) -> None:
    dial, lines = ConnectAttempt(), list[str]()

    def say(line: str) -> None:
        lines.append(line)
        if line.startswith("environment "):
            dial.gave_up.set()

    with pytest.raises(CallError, match="given up"):
        deploy(host, dial, say)
    envs = sshd.home("plain") / ".photinus" / "envs"
    # A build that was all but done when it was given up may still be whole; what is half done goes.
    wait_until(lambda: not list(envs.glob(".*")), 20.0, "the build to be taken away")
    assert all(read_installed(path) is not None for path in envs.iterdir())
    assert read_placement(host) is None
