"""`open PLACE...`: logs, metrics and output folders of anybody, in the cockpit; printed into a pipe."""

import argparse
import sys
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from remote.actions.kept.keep import ask
from remote.hosts.host import Host
from remote.hosts.lookup import load_hosts
from remote.protocol.arguments import FilesArgs, RunArgs
from remote.protocol.errors import CallError
from remote.protocol.results import FilesFound
from remote.protocol.verbs import FILES, RUN
from remote.session.session import Session
from remote.session.watching.training_files import CHECKPOINT, COUNTED, TrainingFiles, training_files
from trainer.run.layout import RUN_ID
from tui.commands.cockpit import TELEMETRY_S, open_on
from tui.commands.logs.host_file import pieces
from tui.commands.logs.place import split_place
from tui.commands.logs.printer import EventPrinter
from tui.commands.output import FAILURE, OK, emit, say, tell
from tui.commands.prompts import reach
from tui.own_formats import formats_at_hand

FILES_S = 20.0
MAGIC = frozenset("*?[")


@dataclass(frozen=True)
class Opened:
    """What was found at the places of one host."""

    session: Session
    patterns: tuple[str, ...]
    answer: FilesFound

    @property
    def runs(self) -> list[TrainingFiles]:
        """Every run that the files make up, the one that was written last first."""
        return training_files(self.answer.files)


def open_files(args: argparse.Namespace) -> int:
    """Show what lies at these places in the cockpit; without a terminal print what it tells up to its end.

    Raises:
        CallError: there is nothing, or it cannot be read.
    """
    with ExitStack() as stack:
        found = [_open_host(stack, host, patterns) for host, patterns in by_host(args.path).items()]
        if args.json or not sys.stdout.isatty():
            return print_all(found, as_json=args.json)
        return open_on([each.session for each in found], _focus(found))


def by_host(places: Iterable[str]) -> dict[Host, list[str]]:
    """Patterns of each host, in the order in which they were named."""
    hosts = load_hosts()
    named: dict[Host, list[str]] = {}
    for place in places:
        host, path = split_place(place, hosts)
        named.setdefault(host, []).append(path)
    return named


def _open_host(stack: ExitStack, host: Host, patterns: list[str]) -> Opened:
    """A session with a host, and the files there; it is closed with `stack`."""
    session = reach(host, history=200, telemetry_s=TELEMETRY_S)
    stack.callback(session.close)
    return Opened(session, tuple(patterns), look_for(session, patterns))


def look_for(session: Session, patterns: list[str]) -> FilesFound:
    """The files of a host that fit; what cannot be looked at is told on stderr.

    Raises:
        CallError: `not_found`: nothing fits a pattern; `refused`: it may not be read.
    """
    host = session.host
    asked = FilesArgs(patterns=patterns, inside=list(COUNTED))
    answer = ask(session, FILES, asked, FILES_S, lacks=" and cannot look for files")
    for trouble in answer.troubles:
        say(f"photinus: {host.name}: {trouble}")
    for number, pattern in enumerate(patterns):
        inside = [file for file in answer.files if file.pattern == number]
        if not inside:
            raise _nothing(host, pattern, answer)
        if all(file.folder and file.path.endswith(f"/{CHECKPOINT}") for file in inside):
            raise CallError(
                "not_found",
                f"{pattern} holds a checkpoint, which tells no numbers, and no log",
                "open what its run printed; a pipe into tee keeps it in that folder",
            )
    return answer


def _nothing(host: Host, pattern: str, answer: FilesFound) -> CallError:
    where = "on this machine" if host.is_local else f"on {host.name}"
    if any(trouble.startswith(f"{pattern} ") for trouble in answer.troubles):
        return CallError(
            "refused", f"{pattern} {where} is not read", "name a plain file or a folder that you may read"
        )
    if MAGIC & set(pattern):
        message = f"no file {where} fits {pattern}"
    else:
        message = f"there is no training log, no metrics file and no such folder {where}: {pattern}"
    return CallError("not_found", message, "look at its path; `watch:` in hosts.yaml waits for one")


def _focus(found: list[Opened]) -> str | None:
    """Let sessions tell their files as runs; the id of the run to open. A run of the host's own is itself."""
    focus = None
    for each in found:
        patterns = [one for one in each.patterns if (own := _own_run(each.session, one)) is None]
        ours = [own for one in each.patterns if (own := _own_run(each.session, one)) is not None]
        if patterns:
            watched = each.session.watch_for(patterns)
            watched.take(each.answer)
            ours += _first_named(each.answer, watched.runs)
        focus = focus or next(iter(ours), None)
    return focus


def _first_named(answer: FilesFound, runs: Mapping[str, TrainingFiles]) -> list[str]:
    """The ids of runs: first of what was named first, and of that what was written last."""
    numbers = {file.path: file.pattern for file in answer.files}
    first = {
        run_id: min(numbers[path] for path in files.metrics or (files.log,)) for run_id, files in runs.items()
    }
    return sorted(runs, key=lambda run_id: (first[run_id], -runs[run_id].at))


def _own_run(session: Session, path: str) -> str | None:
    """The id of the run of that host whose directory this is."""
    name = path.rstrip("/").rpartition("/")[2]
    if not RUN_ID.fullmatch(name):
        return None
    try:
        run = session.call(RUN, RunArgs(run_id=name))
    except CallError:
        return None
    return name if run.dir.rstrip("/") == path.rstrip("/") else None


def print_all(found: list[Opened], *, as_json: bool) -> int:
    """Print what every file tells up to its present end; 1 where none is known."""
    formats, faults = formats_at_hand()
    for fault in faults:
        say(f"photinus: a format of yours is left out: {fault}")
    codes = []
    for each in found:
        for run in each.runs:
            printer = EventPrinter(lambda: 0.0, formats, as_json=as_json)
            _head(each.session.host, run, as_json=as_json)
            for path in run.metrics or (run.log,):
                for data in pieces(each.session, path):
                    printer.feed(data)
                printer.next_file()
            codes.append(printer.finish(run.place))
    return OK if OK in codes else FAILURE


def _head(host: Host, run: TrainingFiles, *, as_json: bool) -> None:
    if as_json:
        emit({"type": "file", "host": host.name, "path": run.place, "what": run.what})
    else:
        tell(f"{run.place if host.is_local else f'{host.name}:{run.place}'} ({run.what})")
