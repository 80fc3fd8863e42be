"""`hosts deploy`, `autostart` and `doctor`: what is done on a host."""

import argparse
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from remote.hosts.host import Host
from remote.hosts.lookup import find_host, load_hosts
from remote.hosts.placement import Placement
from remote.protocol.arguments import AutostartArgs, RunsArgs
from remote.protocol.errors import CallError, QuestionError, UnreachableError
from remote.protocol.permission import demand_may_act
from remote.protocol.results import as_answered
from remote.protocol.verbs import AUTOSTART, RUNS
from remote.session.last_seen import note, twins
from remote.transport.base import Answers, ConnectAttempt
from tui.commands.host_session import link_to
from tui.commands.inspect import examine_host
from tui.commands.output import OK, answer, say
from tui.commands.prompts import Prompter, prompter_of, reach

AUTOSTART_S = 30.0


def deploy(args: argparse.Namespace) -> int:
    """Bring our code to the host and say hello to it."""
    host = find_host(args.name)
    if args.check or args.clean:
        from tui.commands.hosts.tidy import tidy

        return tidy(host, args)
    prompter = prompter_of(args, f"photinus hosts deploy {host.name}")
    wheels = Path(args.wheels) if args.wheels else None
    how = DeployOptions(args.force, args.trust_index, wheels, args.skip_selftest)
    placement = deploy_to(host, prompter, Answers(), how)
    answer(
        {"name": host.name, **asdict(placement)},
        args.json,
        lambda placed: f"photinus {placed['version']} is deployed on {placed['name']}",
    )
    return OK


@dataclass(frozen=True, slots=True)
class DeployOptions:
    """How a deploy is done; see `remote.deploy.deploy.deploy`."""

    force: bool = False
    trust_index: bool = False
    wheels: Path | None = None
    skip_selftest: bool = False

    @property
    def further(self) -> dict[str, Any]:
        """What was asked for beyond the usual."""
        return {name: value for name, value in asdict(self).items() if value and name != "force"}


def deploy_to(
    host: Host, prompter: Prompter, answers: Answers, how: DeployOptions = DeployOptions()
) -> Placement:
    """Deploy, questions asked on the way; progress goes to stderr.

    Raises:
        CallError: `unreachable`, or why the host cannot be deployed to.
    """
    from remote.deploy.deploy import deploy as carry

    demand_may_act("deploy")
    if host.is_local:
        raise CallError("bad_request", "`local` needs no deploy: it runs this installation", "")
    ask = prompter.asker(host.name)
    while True:
        try:
            placement = carry(host, ConnectAttempt(answers=answers), say, force=how.force, **how.further)
            break
        except QuestionError as error:
            answers.take(error.question, ask(error))
        except OSError as error:
            raise UnreachableError(f"{host.name}: {error}", f"photinus hosts test {host.name}") from error
    with reach(host, prompter) as session:
        session.call(RUNS, RunsArgs(finished=0))  # of the version that was just deployed
        note(session)
        hello = session.hello
    same = twins(host.name, hello.host_id, load_hosts()) if hello else []
    if same:
        say(f"note: {host.name} is the same host as {', '.join(same)}: its runs are listed twice")
    return placement


def autostart(args: argparse.Namespace) -> int:
    """Have the host contact its own runs at its start, or no longer."""
    host = find_host(args.name)
    with link_to(host.name) as session:
        action = "remove" if args.remove else "install"
        state = session.call(AUTOSTART, AutostartArgs(action=action), AUTOSTART_S)
    answer({"name": host.name, **as_answered(state)}, args.json, autostart_words)
    return OK


def autostart_words(state: Mapping[str, Any]) -> str:
    """What is there now, and what it cannot do."""
    files = ", ".join(map(str, state["files"]))
    if not state["installed"]:
        return f"{state['name']} does not resume runs by itself" + (
            f" any more ({files})" if state["changed"] else ""
        )
    lines = [
        f"{state['name']} resumes runs by itself ({state['kind']}: {files})"
        + ("" if state["changed"] else "; it did already"),
        "  runs started with --restart on-failure or always are resumed; others are marked died",
    ]
    return "\n".join([*lines, *(f"  {one}" for one in state["notes"])])


def doctor(args: argparse.Namespace) -> int:
    """`photinus doctor --host NAME`."""
    return examine_host(find_host(args.name).name, deep=False, as_json=args.json)
