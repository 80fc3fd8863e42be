"""`pull` and `push`: checkpoints between a host and this machine."""

import argparse
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from remote.protocol.errors import CallError
from remote.protocol.sanitise import clean_line
from remote.transfer.pull import Pulled, PullOptions, pull
from remote.transfer.push import PushOptions, PushResult, push
from remote.transfer.select import Choice
from remote.transfer.transfer_progress import TransferProgress
from tui.commands.arguments import RUN_HELP, Commands, add_command, count
from tui.commands.find_run import find_view
from tui.commands.host_session import link_to
from tui.commands.output import OK, answer, say

EACH_S = 0.2


def pull_run(args: argparse.Namespace) -> int:
    """Fetch checkpoints of a run."""
    with link_to(args.host) as session:
        view = find_view(session, args.run)
        try:
            with TransferLine() as line:
                pulled = pull(
                    session,
                    view.run_id,
                    choice_of(args),
                    Path(args.to) if args.to else None,
                    options=PullOptions(is_thorough=args.verify),
                    on_progress=line.show,
                )
        except CallError as error:
            if error.code == "not_found" and view.kind == "command":
                remedy = "it is a command: what it saves by its own rules is not known here; use scp"
                raise CallError(error.code, error.message, remedy) from error
            raise
    for name in pulled.gone:
        say(f"{name} was removed on {args.host} meanwhile")
    for name, why in pulled.unreadable.items():
        say(f"passed over: {name}: {clean_line(why)}")
    answer(pulled.to_json(), args.json, lambda _: in_words(pulled))
    return OK


def choice_of(args: argparse.Namespace) -> Choice:
    """What the options ask for; the latest without any."""
    if args.match is not None:
        return Choice("match", glob=args.match)
    if args.since is not None:
        return Choice("since", step=args.since)
    return Choice("best" if args.best else "all" if args.all else "latest")


def in_words(pulled: Pulled) -> str:
    """One line a checkpoint, with where it lies."""
    lines = [f"fetched    {pulled.folder / one.name}  {size(one.size)}" for one in pulled.fetched]
    lines += [f"identical  {pulled.folder / one.name}" for one in pulled.identical]
    if pulled.sent:
        lines.append(f"{size(pulled.sent)} in {pulled.seconds:.1f} s, every hash checked")
    return "\n".join(lines) or "nothing was fetched"


def size(count: float) -> str:
    """`1.5 GB`, decimal."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.2f} TB"


class TransferLine:
    """One line on stderr that is written over; nothing where stderr is no terminal."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr.isatty()
        self._next = 0.0
        self._width = 0

    def __enter__(self) -> "TransferLine":
        return self

    def __exit__(self, *_: object) -> None:
        if self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()

    def show(self, progress: TransferProgress) -> None:
        """Draw it, five times a second at most."""
        if not self._is_shown or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + EACH_S
        text = line_of(progress)[: shutil.get_terminal_size().columns - 1]
        sys.stderr.write("\r" + text.ljust(self._width))
        sys.stderr.flush()
        self._width = len(text)


def line_of(progress: TransferProgress) -> str:
    """`42 %  1.2 GB of 2.9 GB  98 MB/s  0:17 left  step-00001000/model.safetensors`."""
    share = 100 * progress.done / progress.total if progress.total else 100.0
    seconds = None if progress.eta_s is None else round(progress.eta_s)
    left = "" if seconds is None else f"  {seconds // 60}:{seconds % 60:02d} left"
    return (
        f"{share:3.0f} %  {size(progress.done)} of {size(progress.total)}  "
        f"{size(progress.rate)}/s{left}  {progress.what}"
    )


def push_checkpoint(args: argparse.Namespace) -> int:
    """Bring a checkpoint to a host."""
    with link_to(args.host) as session:
        run_id = find_view(session, args.run).run_id if args.run else ""
        with TransferLine() as line:
            options = PushOptions(origin=args.origin or "", run_id=run_id)
            pushed = push(session, Path(args.path), options, line.show)
    answer({"host": args.host, **pushed.to_json()}, args.json, lambda _: push_words(args.host, pushed))
    return OK


def push_words(host: str, pushed: PushResult) -> str:
    """What came of it, and what can be done with it now."""
    how = "was there already" if pushed.was_there else f"{size(pushed.sent)} sent, every hash checked there"
    if pushed.run_id:
        then = f"photinus resume {pushed.run_id} --from {pushed.name} --host {host}"
    else:
        then = f"photinus start --preset NAME --from {pushed.parent} --host {host}"
    return f"{pushed.path}  ({how})\nnow: {then}"


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {"pull": pull_run, "push": push_checkpoint}


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add these commands to the command line."""
    puller = add_command(commands, "pull", "fetch checkpoints of a run, resumed and verified")
    puller.add_argument("run", help=RUN_HELP)
    which = puller.add_mutually_exclusive_group()
    which.add_argument("--latest", action="store_true", help="the newest (the default)")
    which.add_argument("--best", action="store_true", help="the best by its primary metric")
    which.add_argument(
        "--match", metavar="GLOB", help="those whose name or kind matches, such as 'step-0000*' or best"
    )
    which.add_argument("--since", type=count, metavar="STEP", help="this step and later ones")
    which.add_argument("--all", action="store_true", help="every one")
    puller.add_argument("--to", metavar="DIR", help="where to; a folder of the run's name is made there")
    puller.add_argument(
        "--verify",
        action="store_true",
        help="hash the files that are here already, too, not their manifest alone",
    )
    pusher = add_command(commands, "push", "bring a checkpoint to a host, so that a run can begin from it")
    pusher.add_argument("path", help="the folder of a checkpoint, such as demo-abcdef/step-00001000")
    pusher.add_argument(
        "--run",
        metavar="RUN",
        help="put it among the checkpoints of this run of the host, which must be over",
    )
    pusher.add_argument(
        "--origin",
        metavar="NAME",
        help="the run that it is said to come from (default: by the folder it lies in)",
    )
