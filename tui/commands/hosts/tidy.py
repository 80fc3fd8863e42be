"""`hosts deploy --check` and `--clean`: is a host up to date, and which environments nothing needs."""

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from remote.actions.deployed import check, clean
from remote.hosts.host import Host
from remote.protocol.permission import demand_may_act
from tui.commands.host_session import link_to
from tui.commands.output import OK, answer


def tidy(host: Host, args: argparse.Namespace) -> int:
    """Look, or clean; nothing is deployed.

    Raises:
        CallError: the host was not reached, or refused.
    """
    if args.clean and not args.dry_run:
        demand_may_act("deploy --clean")
    with link_to(host.name) as session:
        if args.clean:
            swept = clean(session, dry_run=args.dry_run)
            answer({"name": host.name, **asdict(swept)}, args.json, swept_words)
        else:
            state = check(session)
            answer({"name": host.name, **asdict(state)}, args.json, checked_words)
    return OK


def swept_words(swept: Mapping[str, Any]) -> str:
    """What went, or would go."""
    would = "would be removed from" if swept["dry_run"] else "was removed from"
    names, kept = (", ".join(swept[key]) for key in ("removed", "kept"))
    return (
        f"{names or 'nothing'} {would} {swept['name']} ({swept['bytes'] / 1e6:,.0f} MB); kept: {kept or '-'}"
    )


def checked_words(state: Mapping[str, Any]) -> str:
    """The verdict, and each environment with why it stays."""
    lines = [f"{state['name']}: {state['sentence']} (there {state['version'] or '-'}, here {state['ours']})"]
    for one in state["environments"]:
        built = datetime.fromtimestamp(one["at"]).strftime("%Y-%m-%d %H:%M")
        why = ", ".join(one["why"]) or "nothing needs it"
        torch = f"torch {one['torch']}" if one["torch"] else "-"
        lines.append(f"  {one['env']}  {one['version'] or '?':20} {torch:14} {built}  {why}")
    return "\n".join(lines)
