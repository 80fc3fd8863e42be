"""A run and the environment it was started in: pinned by the agent, used by the supervisor, asked about."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from remote.actions.deployed import check, clean
from remote.agent.starts import environment
from remote.agent.starts.environment import pinned, standing
from remote.deploy.on_host.installed import Installed, write_installed
from remote.protocol.errors import CallError
from remote.protocol.version import judge
from remote.session.session import Session
from remote.supervisor.process.launchers import interpreter_of
from tests.remote.calling import call
from tests.remote.scripts import spec
from trainer.run.home import Home, open_home
from trainer.run.run_errors import SpecError
from trainer.run.spec import RunSpec

ENV = "ab" * 8


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """This interpreter as if it were a deployed environment."""
    home = open_home(tmp_path / "elsewhere")
    prefix = home.root / "envs" / ENV
    (prefix / "bin").mkdir(parents=True)
    (prefix / "bin" / "python").symlink_to(sys.executable)
    write_installed(prefix, Installed(home=str(home.root), env=ENV, wheel="w" * 64, version="1.0+ab"))
    monkeypatch.setattr(sys, "prefix", str(prefix))
    return home


def test_a_deployed_agent_serves_the_state_root_it_was_deployed_for(
    deployed: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTINUS_HOME", "/somewhere/else")
    assert environment.deployed_root() == deployed.root
    assert (environment.own().wheel, environment.own().env) == ("w" * 64, ENV)


def test_a_checkout_serves_what_the_environment_says() -> None:
    assert environment.deployed_root() is None
    assert (environment.own().wheel, environment.own().env) == ("", "")


def test_a_start_is_pinned_to_the_agents_environment_unless_it_names_one(deployed: Home) -> None:
    assert pinned(spec()).env_hash == ENV
    assert pinned(replace(spec(), env_hash="cd" * 8)).env_hash == "cd" * 8


def test_without_a_deploy_nothing_is_pinned() -> None:
    assert pinned(spec()).env_hash == ""


def test_the_supervisor_uses_the_pinned_interpreter_while_it_is_there(deployed: Home) -> None:
    one = pinned(spec())
    run = deployed.run(one.run_id)
    own = deployed.root / "envs" / ENV / "bin" / "python"
    assert interpreter_of(one, run) == str(own)
    assert interpreter_of(spec(), run) == sys.executable
    assert standing(deployed, one) == one
    own.unlink()
    own.parent.rmdir()
    own.parents[1].rename(deployed.root / "gone")
    assert interpreter_of(one, run) == sys.executable
    assert standing(deployed, one).env_hash == "", "a resume goes on in the agent's own"


@pytest.mark.parametrize("text", ["../../../tmp/evil", "a/b", ".", "a b", "x" * 65])
def test_a_hash_cannot_name_a_path(text: str) -> None:
    with pytest.raises(SpecError, match="not the hash of an environment"):
        RunSpec.from_json(replace(spec(), env_hash=text).to_json())


def test_a_start_that_names_an_environment_that_is_not_there_is_refused(session: Session) -> None:
    one = replace(spec(), env_hash=ENV).to_json()
    with pytest.raises(CallError) as caught:
        call(session, "start", {"start_id": "s1", "spec": one})
    assert caught.value.code == "need_deploy"


def test_an_agent_in_a_checkout_says_that_nothing_is_deployed(session: Session) -> None:
    told = check(session)
    assert (told.verdict, told.env, told.environments) == ("none", "", ())
    swept = clean(session)
    assert (swept.removed, swept.dry_run) == ((), True)


@pytest.mark.parametrize(
    ("theirs", "version", "verdict"),
    [
        ("", "", "none"),
        ("a", "0.1.0+x", "same"),
        ("b", "0.1.0+y", "other"),
        ("b", "0.0.9+y", "older"),
        ("b", "0.10.0+y", "newer"),
        ("b", "what?", "older"),
    ],
)
def test_the_verdict(theirs: str, version: str, verdict: str) -> None:
    assert judge("a", "0.1.0+x", theirs, version) == verdict
