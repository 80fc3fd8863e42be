"""`wait`, `save`, `signal`, `clone`, `diff`: what one does with runs all day."""

import argparse
import time
from collections.abc import Callable

from remote.actions import wait_for
from remote.actions.kept.begin_like import begin_like, other_device
from remote.actions.kept.keep import ask, save_run
from remote.actions.outcome import Outcome
from remote.actions.start_request import new_ticket
from remote.audit.whoami import whoami
from remote.protocol.arguments import RunArgs
from remote.protocol.keeping import SignalArgs
from remote.protocol.verbs import RUN, SIGNAL
from remote.protocol.views import RunView
from trainer.config.resolve import parse_overrides
from tui.commands.arguments import RUN_HELP, SECONDS_MAX, Commands, add_command, seconds
from tui.commands.family.branch import CONNECT_S
from tui.commands.find_run import find_view
from tui.commands.host_session import link_to
from tui.commands.output import FAILURE, OK, answer, emit, say, tell
from tui.commands.runs.selection import add_selection, by_host, chosen
from tui.commands.runs.start import HAS_BEGUN
from tui.commands.runs.summary import view_fields
from tui.commands.spec_rows import changes_of, diff_words, flat


def wait(args: argparse.Namespace) -> int:
    """Return when all of them are over (or running); 1 if one failed."""
    deadline = time.monotonic() + args.timeout

    def is_there(view: RunView) -> bool:
        return view.is_terminal or (args.until == "running" and view.state in HAS_BEGUN)

    with chosen(args, "wait", lambda view: not view.is_terminal) as found:
        rows, code = [], OK
        for one in found:
            left = max(0.1, deadline - time.monotonic())
            outcome = (
                Outcome(True, one.view)
                if is_there(one.view)
                else wait_for(one.session, one.view.run_id, is_there, left)
            )
            if outcome.run is not None:
                rows.append(view_fields(one.host, outcome.run))
            code = code or _ending(outcome)
            if not args.json and outcome.run is not None:
                tell(
                    f"{one.view.run_id} is {outcome.run.state}"
                    + (f": {outcome.run.reason}" if outcome.run.reason else "")
                )
        if args.json:
            emit(rows[0] if len(args.runs) == 1 and rows else rows)
        return code


def _ending(outcome: Outcome) -> int:
    if not outcome.ok:
        say(f"photinus: {outcome.message}")
        return outcome.exit_code
    return FAILURE if outcome.run is not None and outcome.run.has_failed else OK


def save(args: argparse.Namespace) -> int:
    """A checkpoint now; the run goes on."""
    with link_to(args.host) as session:
        view = find_view(session, args.run)
        done = save_run(session, view.run_id, args.timeout)
    row = {
        "host": args.host,
        "run_id": done.run_id,
        "step": done.step,
        "checkpoint": done.checkpoint,
        "sha256": done.sha256,
    }
    answer(
        row,
        args.json,
        lambda _: f"{done.run_id} saved {done.checkpoint} (sha256 {(done.sha256 or '')[:12]}), and goes on",
    )
    return OK


def signal(args: argparse.Namespace) -> int:
    """Send a signal to the first process of a run; it ends nothing by itself."""
    with link_to(args.host) as session:
        view = find_view(session, args.run)
        asked = SignalArgs(run_id=view.run_id, req_id=new_ticket(), signal=args.signal, by=whoami())
        done = ask(session, SIGNAL, asked, 20.0)
    row = {"host": args.host, "run_id": done.run_id, "signal": done.signal}
    answer(row, args.json, lambda _: f"{done.signal} was sent to {done.run_id}")
    return OK


def clone(args: argparse.Namespace) -> int:
    """A new run like another, with changes on top: the difference on stderr, then it starts."""
    with link_to(args.host) as session:
        view = find_view(session, args.run)
        spec = session.call(RUN, RunArgs(run_id=view.run_id)).spec
        changes = parse_overrides(args.overrides)
        device = other_device(args.device or "", changes, spec, session.wait_connected(CONNECT_S).devices)
        rows = changes_of(flat(spec), changes, device)
        for row in rows:
            say(diff_words(row))
        if args.show:
            answer(
                {"run_id": None, "state": None, "diff": rows},
                args.json,
                lambda _: f"{view.run_id} was not cloned",
            )
            return OK
        new = begin_like(
            session,
            view,
            changes,
            device=device,
            name=args.name or "",
            queue=args.queue,
            start_id=args.start_id or "",
        )
    answer(
        {"run_id": new.run_id, "state": new.state, "diff": rows},
        args.json,
        lambda row: f"{row['run_id']} is {row['state']}",
    )
    return FAILURE if new.has_failed else OK


def diff(args: argparse.Namespace) -> int:
    """What differs between what two runs were asked to do."""
    specs = []
    for text in (args.run, args.other):
        ((host, (name,)),) = by_host([text], args.host).items()
        with link_to(host) as session:
            specs.append(flat(session.call(RUN, RunArgs(run_id=find_view(session, name).run_id)).spec))
    one, other = specs
    rows = [
        {"key": key, "a": one.get(key), "b": other.get(key)}
        for key in sorted({*one, *other})
        if one.get(key) != other.get(key)
    ]
    answer(rows, args.json, lambda _: "\n".join(map(diff_words, rows)) or "they were asked to do the same")
    return OK


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "wait": wait,
    "save": save,
    "signal": signal,
    "clone": clone,
    "diff": diff,
}


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add these commands to the command line."""
    waiting = add_command(commands, "wait", "wait until runs are over")
    add_selection(waiting)
    waiting.add_argument(
        "--until",
        choices=["running", "terminal"],
        default="terminal",
        help="what to wait for (default: terminal)",
    )
    waiting.add_argument(
        "--timeout",
        type=seconds,
        default=SECONDS_MAX,
        metavar="S",
        help="how long (default: as long as it takes)",
    )
    saving = add_command(commands, "save", "have a live run write a checkpoint now, and go on")
    saving.add_argument("run", help=RUN_HELP)
    saving.add_argument(
        "--timeout", type=seconds, default=60.0, metavar="S", help="how long to wait for it (default: 60)"
    )
    sending = add_command(commands, "signal", "send a signal to the first process of a live run")
    sending.add_argument("run", help=RUN_HELP)
    sending.add_argument(
        "signal", help="USR1, USR2, HUP, INT, WINCH or CONT; our trainer knows USR2, which prints its stacks"
    )
    cloning = add_command(commands, "clone", "start a new run like another one, with changes on top")
    cloning.add_argument("run", help=RUN_HELP)
    cloning.add_argument(
        "--set",
        dest="overrides",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a configuration key",
    )
    cloning.add_argument("--name", help="a name for people (default: the other one's)")
    cloning.add_argument("--device", help="another device")
    cloning.add_argument("--queue", action="store_true", help="wait in the queue where the device is busy")
    cloning.add_argument("--start-id", help="makes it repeatable: the same id never starts a second run")
    cloning.add_argument("--show", action="store_true", help="only show what would differ")
    comparing = add_command(commands, "diff", "show what differs between what two runs were asked to do")
    comparing.add_argument("run", help=RUN_HELP)
    comparing.add_argument("other", help=RUN_HELP)
