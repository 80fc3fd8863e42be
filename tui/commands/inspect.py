"""`doctor`, `processes`, `reap`, `adopt`, `audit`: what is wrong on a host, and what may be done about it."""

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from remote.actions.adopt_reap import adopt_run, end_process, find_orphan, find_stale, reap
from remote.actions.diagnose import Diagnosis, examine, refused
from remote.audit.audit_log import NAME, read
from remote.hosts.host import client_folder
from remote.protocol.errors import CallError, ProtocolError
from remote.protocol.finding import is_healthy
from remote.protocol.sanitise import clean_line
from tui.commands.host_session import find_view, link_to
from tui.commands.output import FAILURE, OK, emit, say, tell
from tui.commands.parser import Commands, add_command
from tui.commands.runs.start import conclude
from tui.store.words import duration, size

MARKS = {"problem": "!!", "warning": " !", "note": " ."}
OUTCOME = {"asked": "asked for"}


def doctor(args: argparse.Namespace) -> int:
    """Say what is wrong; 1 where anything but notes was found."""
    try:
        with link_to(args.host) as session:
            report = examine(session, deep=args.deep)
    except CallError as error:
        if error.code not in ("refused", "incompatible"):
            raise
        report = Diagnosis((refused(error),))
    healthy = is_healthy(report.findings)
    if args.json:
        emit(
            {
                "host": args.host,
                "healthy": healthy,
                "findings": [one.to_json() for one in report.findings],
                "left_out": report.left_out,
                "facts": dict(report.facts),
            }
        )
    else:
        tell("\n".join(doctor_words(args.host, report)))
    return OK if healthy else FAILURE


def doctor_words(host: str, report: Diagnosis) -> Iterable[str]:
    """The report for people: what, why, and the command that would mend it."""
    for one in report.findings:
        yield f"{MARKS[one.level]} {one.about}: {one.what}"
        if one.why:
            yield f"     why: {one.why}"
        if one.remedy:
            yield f"     do:  {one.remedy}"
    if report.left_out:
        yield f"   and {report.left_out} more"
    for name, value in report.facts.items():
        yield f"   {name:10} {value or 'none'}"
    yield f"{host} is healthy" if is_healthy(report.findings) else f"{host}: nothing was changed"


@contextmanager
def sense() -> Iterator[None]:
    """A host's answer is read here: what it lacks, or has as something else, is its fault and no crash.

    Raises:
        ProtocolError
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError) as error:
        raise ProtocolError(f"{type(error).__name__}: {error}") from error


def processes(args: argparse.Namespace) -> int:
    """Every process and lock, and why it is listed."""
    with link_to(args.host) as session:
        answer = session.call("processes", timeout=20.0)
    if args.json:
        emit({"host": args.host, **answer})
        return OK
    with sense():
        lines = list(process_words(answer))
    tell("\n".join(lines))
    return OK


def process_words(answer: Mapping[str, Any]) -> Iterable[str]:
    """Two tables for people."""
    yield f"{'PID':>8} {'CLASS':8} {'RUN':28} {'AGE':>8} {'MEMORY':>9} {'ACCEL':>9}  WHY / COMMAND"
    for row in answer["processes"]:
        age = duration(row["age_s"]) if row["age_s"] is not None else "n/a"
        yield (
            f"{row['pid']:>8} {row['class']:8} {row['run_id'] or '-':28} {age:>8} {_bytes(row['rss']):>9} "
            f"{_bytes(row.get('gpu_mem')):>9}  {row['why']}"
        )
        if row["cmd"]:
            yield f"{'':76}{clean_line(row['cmd'])}"
        if words := _about(row):
            yield f"{'':76}{words}"
    yield ""
    yield f"{'LOCK':44} {'STATE':6} HELD FOR"
    for row in answer["locks"]:
        yield f"{row['name']:44} {'free' if row['free'] else 'held':6} {_held_for(row)}"


def reap_process(args: argparse.Namespace) -> int:
    """End one orphan, named by run and pid, once the operator has confirmed exactly that process."""
    with link_to(args.host) as session:
        run_id = find_view(session, args.run).run_id
        orphan = find_orphan(session, run_id, args.pid)
        if not args.yes:
            confirm(orphan, args.host)
        outcome = reap(session, orphan)
        if args.json and outcome.ok:
            emit({"host": args.host, "run_id": run_id, "pid": args.pid, "reaped": True})
    return conclude(args, outcome)


def confirm(orphan: Mapping[str, Any], host: str) -> None:
    """Ask on the terminal; the pid must be typed.

    Raises:
        CallError: nobody is there to ask, or something else was typed.
    """
    pid = orphan["pid"]
    if not sys.stdin.isatty():
        raise CallError("refused", f"pid {pid} is ended only when somebody confirms it", "--yes, for scripts")
    command = clean_line(orphan["cmd"] or "its command cannot be read")
    say(f"End pid {pid} on {host}? {orphan['why']}.\n  {command}")
    say("SIGTERM, 2 s later SIGKILL, to that process alone. Type its pid to go on:")
    if sys.stdin.readline().strip() != str(pid):
        raise CallError("refused", "not confirmed: nothing was done", f"type {pid}, or leave it alone")


def end(args: argparse.Namespace) -> int:
    """End one process of one's own that is no run, once the operator has confirmed exactly that process."""
    with link_to(args.host) as session:
        stale = find_stale(session, args.pid)
        if not args.yes:
            confirm(stale, args.host)
        outcome = end_process(session, stale)
        if args.json and outcome.ok:
            emit({"host": args.host, "pid": args.pid, "ended": True})
    return conclude(args, outcome)


def adopt(args: argparse.Namespace) -> int:
    """Give a run its supervisor back."""
    with link_to(args.host) as session:
        return conclude(args, adopt_run(session, find_view(session, args.run).run_id))


def audit(args: argparse.Namespace) -> int:
    """Who did what: on the host, or from this machine."""
    if args.client:
        entries, malformed = read(client_folder(NAME), args.last)
        rows = [asdict(one) for one in entries]
    else:
        with link_to(args.host) as session:
            answer = session.call("audit", {"last": args.last})
        with sense():
            rows, malformed = list(answer["entries"]), int(answer["malformed"])
    if args.json:
        emit(rows)
    else:
        for row in rows:
            with sense():
                words = audit_words(row)
            tell(words)
    if malformed:
        say(f"{malformed} torn or malformed lines were skipped")
    return OK


def audit_words(row: Mapping[str, Any]) -> str:
    """One entry for people; times are this machine's."""
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(float(row["at"])))
    where = f" on {row['host']}" if row.get("host") else ""
    outcome = OUTCOME.get(str(row["outcome"]), str(row["outcome"]))
    said = f": {row['said']}" if row.get("said") else ""
    return clean_line(f"{at}  {row['verb']:7} {row['run'] or '-'}{where}  {outcome}{said}  by {row['who']}")


def _bytes(value: Any) -> str:
    return size(value) if isinstance(value, int | float) else "n/a"


def _about(row: Mapping[str, Any]) -> str:
    """Of a process that is no run of this home: whose, on what, where its output goes."""
    facts = [f"of {row['user']}" if row.get("user") and not row.get("mine") else ""]
    facts.append(f"on {', '.join(map(str, row['devices']))}" if row.get("devices") else "")
    facts.append(f"its log: {row['log']}" if row.get("log") else "")
    facts.append(f"to end it: photinus end {row['pid']}" if row.get("why_not") == "" else "")
    return clean_line("; ".join(filter(None, facts)))


def _held_for(row: Mapping[str, Any]) -> str:
    if row["run_id"] and not row["free"]:
        return str(row["run_id"])
    return "" if row["free"] or row["name"] == "agent" else "nobody that is known: see photinus doctor"


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "doctor": doctor,
    "processes": processes,
    "reap": reap_process,
    "end": end,
    "adopt": adopt,
    "audit": audit,
}


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add these commands to the command line."""
    looking = add_command(
        commands, "doctor", "say what is wrong on a host and what would mend it; changes nothing"
    )
    looking.add_argument("--deep", action="store_true", help="hash every checkpoint, which reads all of them")
    add_command(commands, "processes", "list processes of runs, what they left behind, and every lock")
    reaping = add_command(commands, "reap", "end one process that a run left behind")
    reaping.add_argument("run", help="run id, or the beginning of one")
    reaping.add_argument("pid", type=int, help="its pid, as `photinus processes` shows it")
    reaping.add_argument("--yes", action="store_true", help="do not ask on the terminal")
    ending = add_command(commands, "end", "end one process of yours that is no run, such as an old training")
    ending.add_argument("pid", type=int, help="its pid, as `photinus processes` shows it")
    ending.add_argument("--yes", action="store_true", help="do not ask on the terminal")
    adopting = add_command(commands, "adopt", "give a run that lost its supervisor another")
    adopting.add_argument("run", help="run id, or the beginning of one")
    auditing = add_command(commands, "audit", "print who did what on a host")
    auditing.add_argument("-n", "--last", type=int, default=50, help="how many entries (default: 50)")
    auditing.add_argument(
        "--client", action="store_true", help="what was asked from this machine, of any host"
    )
