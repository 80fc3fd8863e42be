"""`hosts list`, `remove` and `import`: what stands in hosts.yaml."""

import argparse
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from remote.actions.forget import forget
from remote.hosts.address import split_address
from remote.hosts.host import LOCAL, Host
from remote.hosts.hosts_edit import add_hosts, remove_host
from remote.hosts.hosts_file import hosts_path, why_no_name
from remote.hosts.lookup import find_host, load_hosts
from remote.hosts.placement import read_placement
from remote.protocol.errors import CallError
from remote.session.last_seen import last_seen, twins
from remote.ssh.config.aliases import read_aliases, ssh_config_path
from remote.ssh.config.effective import target_of
from remote.ssh.config.openssh import Asker
from tui.commands.output import OK, answer, emit, say, tell
from tui.store.words import duration


def list_hosts(args: argparse.Namespace) -> int:
    """Every host, as far as this client knows without asking it."""
    hosts = load_hosts()
    rows = [row_of(host, hosts) for host in hosts]
    if args.json:
        emit(rows)
        return OK
    for row in rows:
        tell(row_words(row, time.time()))
    if len(hosts) == 1:
        say(f"no other host yet: `photinus hosts add NAME ADDRESS` writes one to {hosts_path()}")
    return OK


def row_of(host: Host, hosts: list[Host]) -> dict[str, Any]:
    """One host; `last_seen` in epoch seconds, `live` run id -> state when it was last heard."""
    seen, placed = last_seen(host.name), read_placement(host)
    return {
        **asdict(host),
        "is_local": host.is_local,
        "version": (placed.version if placed else "") or (seen.version if seen else "") or None,
        "deployed": None if placed is None else asdict(placed),
        "host_id": seen.host_id if seen else None,
        "platform": seen.platform if seen else None,
        "last_seen": seen.at if seen else None,
        "live": dict(seen.live) if seen else {},
        "same_as": twins(host.name, seen.host_id, hosts) if seen else [],
    }


def row_words(row: Mapping[str, Any], now: float) -> str:
    """The same for people, a line."""
    if row["is_local"]:
        deployed = "this machine"
    else:
        deployed = f"photinus {row['version'] or '?'}" if row["deployed"] else "not deployed"
    seen = (
        "never seen" if row["last_seen"] is None else f"seen {duration(max(0.0, now - row['last_seen']))} ago"
    )
    live = f", {len(row['live'])} running then" if row["live"] else ""
    twin = f"  the same host as {', '.join(row['same_as'])}" if row["same_as"] else ""
    return f"{row['name']:14} {row['address'] or '-':30} {deployed:25} {seen}{live}{twin}"


def remove(args: argparse.Namespace) -> int:
    """Take a host out of the file and forget it; its runs, if any, go on where they are."""
    host = find_host(args.name)
    if host.name == LOCAL.name:
        raise CallError("bad_request", "`local` is this machine and always there", "edit hosts.yaml by hand")
    seen = last_seen(host.name)
    if seen is not None and seen.live and not args.force:
        live = ", ".join(f"{run} ({state})" for run, state in list(seen.live.items())[:5])
        count = "1 run is" if len(seen.live) == 1 else f"{len(seen.live)} runs are"
        raise CallError(
            "refused",
            f"as far as is known, {count} not over on {host.name}: {live}",
            f"look at them (photinus ls --host {host.name}), or --force: they go on, unwatched from here",
            {"live": dict(seen.live)},
        )
    path = remove_host(host.name)
    forget(host.name)
    answer(
        {"name": host.name, "removed": True, "file": str(path)},
        args.json,
        lambda row: f"{row['name']} is no longer in {row['file']}; on the host itself nothing was touched",
    )
    return OK


def import_hosts(args: argparse.Namespace) -> int:
    """Add what ~/.ssh/config names and hosts.yaml does not."""
    known = load_hosts()
    taken = {host.name.lower() for host in known} | {host.address for host in known}
    new: list[Host] = []
    skipped: list[dict[str, str]] = []
    aliases = read_aliases(ssh_config_path())
    unresolved, jumps = resolved(alias.name for alias in aliases if not alias.is_forge)
    for alias in aliases:
        why = why_no_name(alias.name) or unresolved.get(alias.name, "")
        if alias.name in taken or alias.name.lower() in taken:
            why = "it is in hosts.yaml already"
        elif alias.is_forge:
            why = f"one logs in as {alias.user} there: it serves repositories"
        elif not why and (behind := jumps.get(alias.name)):
            why = f"it is the jump before {behind}; photinus hosts add {alias.name} adds it all the same"
        if why:
            skipped.append({"name": alias.name, "why": why})
        else:
            new.append(Host(alias.name, address=alias.name))
            taken.add(alias.name.lower())
    if new and not args.dry_run:
        add_hosts(new)
    report = {
        "added": [{"name": host.name, "address": host.address} for host in new],
        "skipped": skipped,
        "dry_run": args.dry_run,
        "file": str(hosts_path()),
    }
    answer(report, args.json, import_words)
    return OK


def resolved(names: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Why some names lead nowhere; and which are jumps, each with the first name that lies behind it."""
    unresolved: dict[str, str] = {}
    jumps: dict[str, str] = {}
    asker = Asker()
    for name in names:
        try:
            target = target_of(name, asker=asker)
        except CallError as error:
            unresolved[name] = f"{error.message}; {error.remedy}"
            continue
        for hop in target.hops:
            jumps.setdefault(split_address(hop.alias).name, name)
    return unresolved, jumps


def import_words(report: Mapping[str, Any]) -> str:
    """What was added and what was not, for people."""
    verb = "would be added" if report["dry_run"] else "was added"
    lines = [f"{row['name']} {verb}" for row in report["added"]]
    lines += [f"{row['name']} is left out: {row['why']}" for row in report["skipped"]]
    if not lines:
        return f"{ssh_config_path()} names no host"
    if report["added"] and not report["dry_run"]:
        lines.append(f"they are in {report['file']}; next: photinus hosts test {report['added'][0]['name']}")
    return "\n".join(lines)
