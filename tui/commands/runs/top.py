"""`top`: what each run of a host uses."""

import argparse
from collections.abc import Callable, Iterable
from typing import Any

from remote.actions.kept.keep import ask
from remote.protocol.arguments import NoArgs
from remote.protocol.results import ProcessRow
from remote.protocol.verbs import PROCESSES, TELEMETRY
from remote.session.session import Session
from tui.commands.arguments import Commands, add_command
from tui.commands.host_session import link_to
from tui.commands.output import OK, emit, tell
from tui.store.words import duration, size


def top(args: argparse.Namespace) -> int:
    """What each run of a host uses: processes, memory, accelerator memory; and the host itself."""
    with link_to(args.host) as session:
        load = ask(session, TELEMETRY, NoArgs())
        rows = usage(session)
    facts = {
        "host": args.host,
        "cpu_percent": load.cpu_percent,
        "mem_used": load.mem_used,
        "mem_total": load.mem_total,
        "runs": rows,
    }
    if args.json:
        emit(facts)
        return OK
    tell(
        f"{args.host}: CPU {percent_of(load.cpu_percent)}, "
        f"memory {bytes_of(load.mem_used)} of {bytes_of(load.mem_total)}"
    )
    tell(f"{'RUN':28} {'PROCESSES':>9} {'MEMORY':>9} {'ACCEL':>9} {'AGE':>8}")
    for row in rows:
        age = duration(row["age_s"]) if row["age_s"] is not None else "n/a"
        tell(
            f"{row['run_id']:28} {row['processes']:>9} {bytes_of(row['rss']):>9} "
            f"{bytes_of(row['gpu_mem']):>9} {age:>8}"
        )
    return OK


def usage(session: Session) -> list[dict[str, Any]]:
    """The processes of each run together; None where nobody can say. The one with most memory first."""
    found: dict[str, list[ProcessRow]] = {}
    for row in session.call(PROCESSES, NoArgs(), 20.0).processes:
        if row.run_id and row.standing == "live":
            found.setdefault(row.run_id, []).append(row)
    rows = [
        {
            "run_id": run_id,
            "processes": len(ones),
            "rss": total(one.rss for one in ones),
            "gpu_mem": total(one.gpu_mem for one in ones),
            "age_s": max((one.age_s for one in ones if one.age_s is not None), default=None),
        }
        for run_id, ones in found.items()
    ]
    return sorted(rows, key=lambda row: -(row["rss"] or 0))


def total(values: Iterable[float | None]) -> float | None:
    """The sum of what is known; None where nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def bytes_of(value: float | None) -> str:
    """A size in a column."""
    return "n/a" if value is None else size(value)


def percent_of(value: float | None) -> str:
    """A share in a line."""
    return "n/a" if value is None else f"{value:.0f} %"


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {"top": top}


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    add_command(commands, "top", "show what each run of a host uses")
