"""`hosts add` and `hosts test`: the way to a host, walked step by step."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from remote.actions.connectivity import ConnectivityReport, Step, check_connectivity
from remote.hosts.address import split_address
from remote.hosts.host import LOCAL, Host
from remote.hosts.hosts_edit import add_hosts
from remote.hosts.hosts_file import hosts_path, misfit, why_no_name
from remote.hosts.lookup import find_host, load_hosts
from remote.protocol.errors import EXIT_CODES, CallError
from remote.session.last_seen import twins
from remote.transport.base import Answers
from tui.commands.hosts.deploy import deploy_to
from tui.commands.output import OK, emit, say, tell
from tui.commands.prompts import prompter_of

SIGNS = {True: "ok", False: "FAILED", None: "-"}


def test(args: argparse.Namespace) -> int:
    """Each step as it ends; the exit code is of the first that failed."""
    host = find_host(args.name)
    report = check_connectivity(
        host, say_step if args.json else tell_step, prompter_of(args).asker(host.name)
    )
    same = same_as(host, report)
    if args.json:
        emit({"name": host.name, **report_fields(report), "same_as": same})
    return exit_code(report)


def add(args: argparse.Namespace) -> int:
    """Check, walk there, write; then offer to deploy."""
    host = asked_host(args)
    prompter, answers = prompter_of(args, f"photinus hosts add {host.name} {host.address}"), Answers()
    report = ConnectivityReport()
    if not args.no_test:
        report = check_connectivity(host, say_step, prompter.asker(host.name), answers, agent=False)
        if report.failure is not None:
            say(f"photinus: {host.name} was not added; --no-test adds it all the same")
            return exit_code(report)
    path = add_hosts([host])
    say(f"{host.name} ({host.address}) is in {path}")
    same = same_as(host, report)
    wants = args.deploy or (
        not args.no_deploy
        and not args.no_test
        and not args.json
        and prompter.confirm(f"Deploy Photinus to {host.name} now?")
    )
    placement = deploy_to(host, prompter, answers) if wants else None
    if not wants:
        say(f"next: photinus hosts deploy {host.name}")
    if args.json:
        added = {"name": host.name, "address": host.address, "file": str(path), "same_as": same}
        emit({**added, **report_fields(report), "deployed": asdict(placement) if placement else None})
    else:
        tell(f"{host.name} was added" + (", and Photinus is deployed there" if placement else ""))
    return OK


def asked_host(args: argparse.Namespace) -> Host:
    """The host that the command line describes.

    Raises:
        CallError: it cannot be called so, is there already, or a setting makes no sense.
        ConfigError: hosts.yaml is at fault.
    """
    if why := why_no_name(args.name):
        raise CallError("bad_request", why, "photinus hosts add NAME ADDRESS")
    if args.name == LOCAL.name:
        raise CallError("bad_request", "`local` is this machine and always there", "choose another name")
    if any(host.name.lower() == args.name.lower() for host in load_hosts()):
        raise CallError(
            "bad_request",
            f"{args.name} is a host already",
            f"edit it in {hosts_path()}, or `photinus hosts remove {args.name}` first",
        )
    host = Host(
        args.name,
        address=str(split_address(args.address or args.name)),
        home=args.home,
        python=args.python,
        torch=args.torch,
        checkpoints=args.checkpoints,
        auto_pull=args.auto_pull,
        confirm=args.confirm,
    )
    for key in ("home", "python", "torch", "checkpoints"):
        if why := misfit(key, getattr(host, key)):
            raise CallError("bad_request", f"--{key} {why}", "photinus hosts add --help")
    return host


def same_as(host: Host, report: ConnectivityReport) -> list[str]:
    """The other names of the same state root, noted on stderr."""
    same = twins(host.name, report.host_id, load_hosts()) if report.host_id else []
    if same:
        say(f"note: {host.name} is the same host as {', '.join(same)}: its runs would be listed twice")
    return same


def report_fields(report: ConnectivityReport) -> dict[str, Any]:
    """A test for a script."""
    return {
        "ok": report.failure is None,
        "host_id": report.host_id or None,
        "steps": [asdict(step) for step in report.steps],
    }


def exit_code(report: ConnectivityReport) -> int:
    """0, or the code of the first step that failed."""
    failure = report.failure
    return OK if failure is None or failure.code == "ok" else EXIT_CODES[failure.code]


def step_words(step: Step) -> str:
    """A step for people."""
    ms = "" if step.ms is None else f"{step.ms:.0f} ms"
    text = "; ".join(part for part in (step.said, ms if step.name != "round trip" else "") if part)
    remedy = f"\n{'':21}remedy: {step.remedy}" if step.remedy and step.ok is False else ""
    hint = f" ({step.remedy})" if step.remedy and step.ok is None else ""
    return f"{SIGNS[step.ok]:7}{step.name:13} {text}{hint}{remedy}"


def _printer(put: Callable[[str], None]) -> Callable[[Step], None]:
    def print_step(step: Step) -> None:
        put(step_words(step))
        sys.stdout.flush()

    return print_step


say_step, tell_step = _printer(say), _printer(tell)
