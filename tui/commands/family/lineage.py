"""`checkpoints RUN lineage`: what a run came from and what came from it, on every host that answers."""

import argparse
import contextlib
import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from remote.actions.kept.keep import ask
from remote.actions.trained.ask_trainer import ask_trainer
from remote.actions.trained.family import Family, gather
from remote.hosts.host import Host
from remote.hosts.lookup import load_hosts
from remote.protocol.errors import CallError
from remote.protocol.keeping import KinArgs, KinList
from remote.protocol.verbs import KIN
from remote.session.session import Session, connect
from tui.commands.every_host import look_at_all
from tui.commands.find_run import find_view
from tui.commands.host_session import link_to
from tui.commands.output import OK, answer, say

KIN_S = 30.0


def lineage(args: argparse.Namespace) -> int:
    """The family as a tree; a host that did not answer is named: then it is a part of it."""
    with link_to(args.host) as session, contextlib.ExitStack() as opened:
        run_id = find_view(session, args.run).run_id
        sessions, silent = reach_others(session, args.timeout)
        for other in sessions.values():
            opened.callback(other.close)
        family = gather(
            {name: partial(_ask, one) for name, one in [(args.host, session), *sessions.items()]}, run_id
        )
        family.silent |= silent
        rows = rows_of(family)
        own = checkpoints_of(session, run_id)
    for name, error in family.silent.items():
        say(f"{name}: not asked: {error.message}" + (f" ({error.remedy})" if error.remedy else ""))
    told = {
        "run_id": run_id,
        "partial": bool(family.silent),
        "not_asked": [
            {"host": name, "why": one.message, "remedy": one.remedy} for name, one in family.silent.items()
        ],
        "runs": rows,
        "checkpoints": own,
    }
    answer(told, args.json, words_of)
    return OK


def reach_others(session: Session, timeout: float) -> tuple[dict[str, Session], dict[str, CallError]]:
    """A session with every other host of the list, a state root once; of the rest, why there is none."""
    others = [host for host in load_hosts() if host.name != session.host.name]
    heard = {
        host.name: reply for host, reply in look_at_all(others, timeout, partial(_connected, timeout=timeout))
    }
    sessions: dict[str, Session] = {}
    silent: dict[str, CallError] = {}
    known = {_root_of(session)}
    for host in others:  # of two names of one machine the first of the list counts, whichever answered first
        reply = heard[host.name]
        if isinstance(reply, CallError):
            silent[host.name] = reply
        elif (root := _root_of(reply)) in known:
            reply.close()
        else:
            known.add(root)
            sessions[host.name] = reply
    return sessions, silent


def _connected(host: Host, timeout: float) -> Session:
    return connect(host, timeout, history=0)


def _root_of(session: Session) -> str:
    """The host under any name."""
    return session.hello.host_id if session.hello is not None else session.host.name


def _ask(session: Session, args: KinArgs) -> KinList:
    return ask(session, KIN, args, KIN_S)


def rows_of(family: Family) -> list[dict[str, Any]]:
    """The tree, a row a run and host; a parent that no host has is there without one."""
    rows: list[dict[str, Any]] = []
    for depth, run_id in family.tree():
        homes = family.homes(run_id)
        rows += [
            {
                "depth": depth, "run_id": run_id, "host": one.host, "name": one.row.name,
                "state": one.row.state or "unreadable", "step": one.row.step, "parent": one.row.parent,
                "archived": one.row.archived,
            }
            for one in homes
        ]  # fmt: skip
        if not homes:
            rows.append(
                {
                    "depth": depth, "run_id": run_id, "host": None, "name": "", "state": None, "step": None,
                    "parent": "", "archived": False,
                }
            )  # fmt: skip
    return rows


def checkpoints_of(session: Session, run_id: str) -> list[dict[str, Any]]:
    """Which of the run's own checkpoints came of which, as its host tells it."""
    done = ask_trainer(session, run_id, "checkpoints", ["lineage", "--json"])
    try:
        rows = json.loads(done.out) if not done.code else []
    except ValueError:
        rows = []
    sound = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return [
        {"depth": row["depth"], "name": str(row.get("name"))[:200], "here": bool(row.get("here"))}
        for row in sound
        if type(row.get("depth")) is int and 0 <= row["depth"] < 1000
    ]


def words_of(told: Mapping[str, Any]) -> str:
    """A line a run, those that came from it further right; then its own checkpoints."""
    lines = [_line(row, told["run_id"]) for row in told["runs"]]
    if told["partial"]:
        asked = ", ".join(one["host"] for one in told["not_asked"])
        lines.append(f"a part of it: {asked} could not be asked")
    lines += [
        f"  {'  ' * row['depth']}{_plain(row['name'])}{'' if row['here'] else '  (not here)'}"
        for row in told["checkpoints"]
    ]
    return "\n".join(lines)


def _line(row: Mapping[str, Any], asked: str) -> str:
    begun = row["parent"].partition("/")[2]
    parts = [
        row["run_id"] + (" *" if row["run_id"] == asked else ""),
        row["host"] or "on no host that was asked",
        row["state"] or "",
        "" if row["step"] is None else f"step {row['step']}",
        f"from {begun}" if begun else "",
        "archived" if row["archived"] else "",
    ]
    indent: str = "  " * row["depth"]
    return indent + "  ".join(part for part in parts if part)


def _plain(text: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in text)
