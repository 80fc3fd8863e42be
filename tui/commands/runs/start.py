"""`start`: one of our presets, or any command."""

import argparse
import shlex
from dataclasses import replace
from pathlib import Path

from remote.actions import Outcome, StartRequest, start_run, wait_for
from remote.actions.beside import beside
from remote.actions.inherited import inherited
from remote.actions.kept.keep import demand_tags
from remote.hosts.lookup import find_host
from remote.protocol.errors import CallError
from remote.protocol.views import RunView
from remote.session.session import Session
from remote.transfer.trees.data_files import is_here as is_of_this_machine
from trainer.config.data_source import demand_source
from trainer.config.resolve import resolve
from trainer.run.run_errors import SpecError
from trainer.run.spec import Restart
from tui.commands.environment import read_environment
from tui.commands.find_run import find_view
from tui.commands.host_session import link_to
from tui.commands.output import FAILURE, OK, emit, say, tell
from tui.commands.runs.brought import brought_data, code_to_ship, with_code
from tui.commands.runs.summary import view_fields

HAS_BEGUN = frozenset({"running", "stopping"})
CONNECT_S = 20.0


def start(args: argparse.Namespace) -> int:
    """Start what was asked for and say what became of it."""
    code = code_to_ship(args)
    request = command_request(args) if args.as_command else trainer_request(args)
    with link_to(args.host) as session:
        if args.data != (there := brought_data(args, session)):
            args.data = there
            request = replace(trainer_request(args), start_id=request.start_id)
        request = with_code(session, request, code)
        warn_of_others(session, device_of(session, request))
        if args.after:
            request = replace(request, after=find_view(session, args.after).run_id)
        outcome = start_run(session, request)
        if outcome.ok and request.inherits and session.host.is_local:
            say(inherited().sentence)
        return conclude(args, wait(args, session, outcome))


def device_of(session: Session, request: StartRequest) -> str:
    """What the request takes on this host."""
    return request.to_spec(session.wait_connected(CONNECT_S).devices).device


def warn_of_others(session: Session, device: str) -> None:
    """Say, before the device is taken, who else computes there; what follows is up to the operator."""
    for sentence in beside(session, device):
        say(f"photinus: {sentence}")


def trainer_request(args: argparse.Namespace) -> StartRequest:
    """A run of our trainer, its configuration resolved and checked here, before anything is sent.

    Raises:
        CallError: neither a preset nor a command was named, or both were.
        ConfigError: the configuration is at fault.
    """
    if not args.preset or args.argv:
        raise CallError("bad_request", "name what to run", "--preset NAME, or --command -- PROGRAM ARG ...")
    is_here = find_host(args.host).is_local
    resolved = resolve(args.preset, overrides=args.overrides, data=args.data, is_here=is_here)
    if is_here and not (args.data and is_of_this_machine(args.data)):
        demand_source(resolved.config.data.source, resolved.origins["data.source"])
    request = StartRequest(
        name=args.name or args.preset,
        preset=args.preset,
        parent=args.parent or "",
        config=resolved.values(),
        origins=resolved.origins,
    )
    return with_options(request, args)


def command_request(args: argparse.Namespace) -> StartRequest:
    """A run of the user's own command.

    Raises:
        CallError: no program after `--`, or options of our trainer beside it.
    """
    if not args.argv:
        raise CallError("bad_request", "no program was named", "--command -- PROGRAM ARG ...")
    if args.preset or args.overrides or args.data or args.parent:
        raise CallError(
            "bad_request",
            "--preset, --set, --data and --from are for our trainer",
            "leave them out, or leave out --command",
        )
    request = StartRequest(
        name=args.name or Path(program_of(args.argv)).name,
        kind="command",
        argv=tuple(args.argv),
        resume_argv=split_words("--resume-command", args.resume_command or ""),
        stop_signal=args.stop_signal,
    )
    return with_options(request, args)


def with_options(request: StartRequest, args: argparse.Namespace) -> StartRequest:
    """The request, with what both kinds of run share."""
    is_here = find_host(args.host).is_local
    demand_tags(args.tag)
    return replace(
        request,
        cwd=str(Path(args.cwd or ".").absolute()) if is_here and not args.ship else args.cwd or "",
        inherit=is_here,
        env=read_environment(args.env, args.env_file),
        device=args.device or "",
        shared_device=args.shared,
        restart=restart_of(args),
        on_end=split_words("--on-end", args.on_end or ""),
        limit_s=args.limit,
        hold=args.hold,
        tags=tuple(dict.fromkeys(args.tag)),
        queue=args.queue,
        start_id=request.start_id if args.start_id is None else args.start_id,
    )


def restart_of(args: argparse.Namespace) -> Restart:
    """What the supervisor is to do about a failure.

    Raises:
        CallError: what cannot be meant.
    """
    restart = Restart(args.restart, args.max_restarts, args.restart_backoff, on_stall=args.on_stall)
    if args.on_stall and restart.policy == "never":
        raise CallError(
            "bad_request", "--on-stall ends and resumes a run", "add --restart on-failure, or always"
        )
    try:
        restart.check()
    except SpecError as error:
        raise CallError("bad_request", str(error)) from error
    return restart


def split_words(option: str, text: str) -> tuple[str, ...]:
    """A shell-quoted text as an argument vector; no shell ever sees it.

    Raises:
        CallError: a quote is not closed.
    """
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise CallError("bad_request", f"{option}: {error}", "quote it as for a shell") from error


def program_of(argv: list[str]) -> str:
    """`train.py` says more than `python3`: the first word that is a script, else the program."""
    return next((word for word in argv[1:] if word.endswith((".py", ".sh"))), argv[0])


def wait(args: argparse.Namespace, session: Session, outcome: Outcome) -> Outcome:
    """Where --wait asks for it: until the run is running, or over."""
    if not args.wait or outcome.run is None or outcome.run.is_terminal or not outcome.ok:
        return outcome

    def is_there(view: RunView) -> bool:
        return view.is_terminal or (args.wait == "running" and view.state in HAS_BEGUN)

    return wait_for(session, outcome.run.run_id, is_there, args.timeout)


def conclude(args: argparse.Namespace, outcome: Outcome) -> int:
    """Print the outcome; the exit code. A run that ended badly is exit code 1, whoever waited for it."""
    if outcome.run is not None and args.json:
        emit(view_fields(args.host, outcome.run))
    if not outcome.ok:
        say(f"photinus: {outcome.message}")
        if outcome.remedy:
            say(f"  remedy: {outcome.remedy}")
        return outcome.exit_code
    if outcome.run is not None and outcome.run.has_failed and args.command != "kill":
        say(f"photinus: {outcome.run.run_id} {outcome.run.state}: {outcome.run.reason}")
        return FAILURE
    if not args.json:
        tell(outcome.message)
    return OK
