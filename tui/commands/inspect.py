"""`doctor`, `processes`, `reap`, `adopt`, `audit`: what is wrong on a host, and what may be done about it."""

import argparse
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict

from remote.actions.adopt_reap import adopt_run, end_process, find_orphan, find_stale, reap
from remote.actions.diagnose import Diagnosis, examine, refused
from remote.audit.audit_log import NAME, read
from remote.hosts.client_state import client_folder
from remote.protocol.arguments import AuditArgs, NoArgs
from remote.protocol.errors import CallError
from remote.protocol.finding import is_healthy
from remote.protocol.results import LockRow, ProcessList, ProcessRow, as_answered
from remote.protocol.sanitise import clean_line
from remote.protocol.verbs import AUDIT, PROCESSES
from remote.protocol.views import AuditEntry
from tui.commands.arguments import Commands, add_command, count, pid
from tui.commands.find_run import find_view
from tui.commands.host_session import link_to
from tui.commands.output import FAILURE, OK, emit, say, tell
from tui.commands.runs.start import conclude
from tui.store.words import duration, size

MARKS = {"problem": "!!", "warning": " !", "note": " ."}
HOST_MAX = 500
OUTCOME = {"asked": "asked for"}


def doctor(args: argparse.Namespace) -> int:
    """Say what is wrong; 1 where anything but notes was found."""
    return examine_host(args.host, deep=args.deep, as_json=args.json)


def examine_host(host: str, *, deep: bool, as_json: bool) -> int:
    """Say what is wrong on a host; 1 where anything but notes was found."""
    try:
        with link_to(host) as session:
            report = examine(session, deep=deep)
    except CallError as error:
        if error.code not in ("refused", "incompatible"):
            raise
        report = Diagnosis((refused(error),))
    healthy = is_healthy(report.findings)
    if as_json:
        emit(
            {
                "host": host,
                "healthy": healthy,
                "findings": [one.to_json() for one in report.findings],
                "left_out": report.left_out,
                "facts": dict(report.facts),
            }
        )
    else:
        tell("\n".join(doctor_words(host, report)))
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


def processes(args: argparse.Namespace) -> int:
    """Every process and lock, and why it is listed."""
    with link_to(args.host) as session:
        listed = session.call(PROCESSES, NoArgs(), 20.0)
    if args.json:
        emit({"host": args.host, **as_answered(listed)})
        return OK
    tell("\n".join(process_words(listed)))
    return OK


def process_words(listed: ProcessList) -> Iterable[str]:
    """Two tables for people."""
    yield f"{'PID':>8} {'CLASS':8} {'RUN':28} {'AGE':>8} {'MEMORY':>9} {'ACCEL':>9}  WHY / COMMAND"
    for row in listed.processes:
        age = duration(row.age_s) if row.age_s is not None else "n/a"
        yield (
            f"{row.pid:>8} {row.standing:8} {row.run_id or '-':28} {age:>8} {_bytes(row.rss):>9} "
            f"{_bytes(row.gpu_mem):>9}  {row.why}"
        )
        if row.cmd:
            yield f"{'':76}{clean_line(row.cmd)}"
        if words := _about(row):
            yield f"{'':76}{words}"
    yield ""
    yield f"{'LOCK':44} {'STATE':6} HELD FOR"
    for lock in listed.locks:
        yield f"{lock.name:44} {'free' if lock.free else 'held':6} {_held_for(lock)}"


def reap_process(args: argparse.Namespace) -> int:
    """End one orphan, named by run and pid, once the operator has confirmed exactly that process."""
    with link_to(args.host) as session:
        run_id = find_view(session, args.run).run_id
        orphan = find_orphan(session, run_id, args.pid)
        if not args.yes:
            confirm(orphan, args.host)
        # a host that names no start time refuses this by itself
        outcome = reap(session, run_id, orphan.pid, orphan.start or 0)
        if args.json and outcome.ok:
            emit({"host": args.host, "run_id": run_id, "pid": args.pid, "reaped": True})
    return conclude(args, outcome)


def confirm(orphan: ProcessRow, host: str) -> None:
    """Ask on the terminal; the pid must be typed.

    Raises:
        CallError: nobody is there to ask, or something else was typed.
    """
    pid = orphan.pid
    if not sys.stdin.isatty():
        raise CallError("refused", f"pid {pid} is ended only when somebody confirms it", "--yes, for scripts")
    command = clean_line(orphan.cmd or "its command cannot be read")
    say(f"End pid {pid} on {host}? {orphan.why}.\n  {command}")
    say("SIGTERM, 2 s later SIGKILL, to that process alone. Type its pid to go on:")
    if sys.stdin.readline().strip() != str(pid):
        raise CallError("refused", "not confirmed: nothing was done", f"type {pid}, or leave it alone")


def end(args: argparse.Namespace) -> int:
    """End one process of one's own that is no run, once the operator has confirmed exactly that process."""
    with link_to(args.host) as session:
        stale = find_stale(session, args.pid)
        if not args.yes:
            confirm(stale, args.host)
        assert stale.start is not None  # find_stale
        outcome = end_process(session, stale.pid, stale.start)
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
    else:
        with link_to(args.host) as session:
            answer = session.call(AUDIT, AuditArgs(last=min(max(1, args.last), HOST_MAX)))
        if args.last > HOST_MAX:
            say(f"a host tells the newest {HOST_MAX}: all of them lie in audit.jsonl of its state root")
        entries, malformed = answer.entries, answer.malformed
    if args.json:
        emit([asdict(one) for one in entries])
    else:
        for one in entries:
            tell(audit_words(one))
    if malformed:
        say(f"{malformed} torn or malformed lines were skipped")
    return OK


def audit_words(one: AuditEntry) -> str:
    """One entry for people; times are this machine's."""
    try:
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one.at))
    except (OverflowError, ValueError, OSError):  # a moment that no calendar has
        at = f"{one.at:.0f}"
    where = f" on {one.host}" if one.host else ""
    outcome = OUTCOME.get(one.outcome, one.outcome)
    message = f": {one.said}" if one.said else ""
    return clean_line(f"{at}  {one.verb:7} {one.run or '-'}{where}  {outcome}{message}  by {one.who}")


def _bytes(value: float | None) -> str:
    return "n/a" if value is None else size(value)


def _about(row: ProcessRow) -> str:
    """Of a process that is no run of this home: whose, on what, where its output goes."""
    facts = [f"of {row.user}" if row.user and not row.mine else ""]
    facts.append(f"on {', '.join(row.devices)}" if row.devices else "")
    facts.append(f"its log: {row.log} (photinus tail --pid {row.pid} -f)" if row.log else "")
    facts.append(f"to end it: photinus end {row.pid}" if row.why_not == "" else "")
    return clean_line("; ".join(filter(None, facts)))


def _held_for(lock: LockRow) -> str:
    if lock.run_id and not lock.free:
        return lock.run_id
    return "" if lock.free or lock.name == "agent" else "nobody that is known: see photinus doctor"


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
    reaping.add_argument("pid", type=pid, help="its pid, as `photinus processes` shows it")
    reaping.add_argument("--yes", action="store_true", help="do not ask on the terminal")
    ending = add_command(commands, "end", "end one process of yours that is no run, such as an old training")
    ending.add_argument("pid", type=pid, help="its pid, as `photinus processes` shows it")
    ending.add_argument("--yes", action="store_true", help="do not ask on the terminal")
    adopting = add_command(commands, "adopt", "give a run that lost its supervisor another")
    adopting.add_argument("run", help="run id, or the beginning of one")
    auditing = add_command(commands, "audit", "print who did what on a host")
    auditing.add_argument("-n", "--last", type=count, default=50, help="how many entries (default: 50)")
    auditing.add_argument(
        "--client", action="store_true", help="what was asked from this machine, of any host"
    )
