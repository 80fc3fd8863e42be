"""`rm`, `archive`, `restore`, `rename`, `tag`, `note`: runs as things one keeps."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from remote.actions.kept.keep import archive_run, label_run, list_trash, purge_trash, restore_run, trash_run
from remote.hosts.lookup import load_hosts
from remote.protocol.errors import CallError
from remote.protocol.keeping import KeptRun, TrashedRun
from remote.protocol.views import RunView
from remote.session.session import Session
from tui.commands.arguments import RUN_HELP, Commands, add_command
from tui.commands.find_run import find_view
from tui.commands.host_session import link_to
from tui.commands.output import OK, answer, say
from tui.commands.runs.move import archive_to_host
from tui.commands.runs.selection import Chosen, add_selection, by_host, chosen, each
from tui.commands.runs.summary import view_fields
from tui.store.words import size


def rm(args: argparse.Namespace) -> int:
    """To the trash; or, with --purge, what lies there for good."""
    if args.purge:
        return purge(args)
    with chosen(args, "rm", is_over) as found:
        newest_first = sorted(found, key=lambda one: -one.view.created)  # a child goes before its parent
        return each(
            args, newest_first, lambda one: kept(one, trash_run(one.session, one.view.run_id)), in_trash
        )


def purge(args: argparse.Namespace) -> int:
    """Empty the trash of a host, or take these runs out of it for good."""
    hosts = by_host(args.runs, args.host) if args.runs else {args.host: []}
    removed: list[str] = []
    freed = 0
    for host, names in hosts.items():
        with link_to(host) as session:
            ids = [find_trashed(session, name).run_id for name in names]
            done = purge_trash(session, ids, args.older or 0.0)
        removed += done.run_ids
        freed += done.bytes
    answer(
        {"removed": removed, "bytes": freed},
        args.json,
        lambda row: f"{len(row['removed'])} runs are gone for good: {size(row['bytes'])} freed",
    )
    return OK


def archive(args: argparse.Namespace) -> int:
    """Out of the list, in place or into a folder of its host."""
    is_host = args.to in {host.name for host in load_hosts()}

    def away(one: Chosen) -> dict[str, object]:
        if is_host:
            return archive_to_host(one, args.to)
        return kept(one, archive_run(one.session, one.view.run_id, args.to))

    with chosen(args, "archive", is_over) as found:
        return each(
            args,
            found,
            away,
            lambda row: (
                f"{row['run_id']} is archived as {row['where']}"
                if is_host
                else f"{row['run_id']} is archived: photinus restore {row['run_id']} brings it back"
                + ("" if row["where"] == "archive" else f" from {row['where']}")
            ),
        )


def restore(args: argparse.Namespace) -> int:
    """Back into the list, wherever they are."""

    def back(host: str, session: Session, name: str) -> dict[str, Any]:
        done = restore_run(session, find_kept(session, name))
        return {
            "host": host,
            "run_id": done.run_id,
            "name": done.name,
            "state": done.state,
            "where": done.where,
        }

    rows = []
    for host, names in by_host(args.runs, args.host).items():
        with link_to(host) as session:
            rows += [back(host, session, name) for name in names]
    one = rows[0] if len(args.runs) == 1 else rows
    answer(
        one, args.json, lambda _: "\n".join(f"{row['run_id']} is in the list: {row['state']}" for row in rows)
    )
    return OK


def rename(args: argparse.Namespace) -> int:
    """Another name for people; the id stays."""
    return labelled(args, lambda one: label_run(one.session, one.view.run_id, name=args.name))


def tag(args: argparse.Namespace) -> int:
    """Words to find a run by."""
    return labelled(
        args, lambda one: label_run(one.session, one.view.run_id, add=args.words, remove=args.remove)
    )


def note(args: argparse.Namespace) -> int:
    """A remark; an empty one takes it away."""
    return labelled(args, lambda one: label_run(one.session, one.view.run_id, note=args.text))


def labelled(args: argparse.Namespace, act: Callable[[Chosen], RunView]) -> int:
    """Change a run's labels, and tell them."""
    with link_to(args.host) as session:
        view = act(Chosen(session, find_view(session, args.run)))
    answer(view_fields(args.host, view), args.json, label_words)
    return OK


def label_words(row: Mapping[str, Any]) -> str:
    """The labels of a run for people."""
    tags = f"  [{' '.join(row['tags'])}]" if row["tags"] else ""
    remark = f"  {row['note']}" if row["note"] else ""
    return f"{row['run_id']}  {row['name']}{tags}{remark}"


def is_over(view: RunView) -> bool:
    """What can be archived and thrown away."""
    return view.is_terminal


def kept(one: Chosen, done: KeptRun) -> dict[str, object]:
    """What `--json` gives of it."""
    return {
        "host": one.host,
        "run_id": done.run_id,
        "name": done.name,
        "state": done.state,
        "where": done.where,
        "bytes": done.bytes,
    }


def in_trash(row: Mapping[str, Any]) -> str:
    """What was done, what it would free, and how it is undone."""
    return (
        f"{row['run_id']} is in the trash ({size(row['bytes'])}, freed by photinus rm --purge): "
        f"photinus restore {row['run_id']} brings it back"
    )


def find_trashed(session: Session, name: str) -> TrashedRun:
    """The run of the trash that is meant.

    Raises:
        CallError: none is, or several are.
    """
    rows = list_trash(session)
    found = (
        [row for row in rows if row.run_id == name]
        or [row for row in rows if row.name == name]
        or [row for row in rows if row.run_id.startswith(name)]
    )
    if len(found) == 1:
        return found[0]
    if not found:
        raise CallError("not_found", f"{name!r} is not in the trash", "photinus ls --trash lists it")
    one_of = ", ".join(row.run_id for row in found[:8])
    raise CallError("bad_request", f"{name!r} names {len(found)} runs of the trash", f"one of: {one_of}")


def find_kept(session: Session, name: str) -> str:
    """The id of the run that `restore` is to bring back: archived, in the trash, or gone to a folder."""
    try:
        return find_view(session, name).run_id
    except CallError as error:
        if error.code != "not_found":
            raise
        try:
            return find_trashed(session, name).run_id
        except CallError as nothing:
            if nothing.code == "not_found" and "was moved to" in error.message:
                return name
            raise error if nothing.code == "not_found" else nothing from nothing


def trash_rows(host: str, rows: Sequence[TrashedRun]) -> list[dict[str, Any]]:
    """What `ls --trash --json` gives."""
    return [
        {
            "host": host,
            "run_id": row.run_id,
            "name": row.name,
            "state": row.state,
            "trashed": row.at,
            "tags": row.tags,
        }
        for row in rows
    ]


def show_trash(host: str, as_json: bool) -> int:
    """`ls --trash`."""
    with link_to(host) as session:
        rows = trash_rows(host, list_trash(session))
    if not rows and not as_json:
        say(f"the trash of {host} is empty")
        return OK
    words = "\n".join(f"{row['run_id']:28} {row['state']:12} {row['host']:10} {row['name']}" for row in rows)
    answer(rows, as_json, lambda _: words)
    return OK


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "rm": rm,
    "archive": archive,
    "restore": restore,
    "rename": rename,
    "tag": tag,
    "note": note,
}


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add these commands to the command line."""
    removing = add_command(commands, "rm", "put runs that are over into the trash of their host")
    add_selection(removing)
    removing.add_argument(
        "--purge",
        action="store_true",
        help="remove for good what lies in the trash: these runs, or all of it (--older AGE)",
    )
    archiving = add_command(commands, "archive", "put runs that are over out of the list; they stay in place")
    add_selection(archiving)
    archiving.add_argument(
        "--to",
        default="",
        metavar="PLACE",
        help="move them into this folder of their host, or to another host",
    )
    back = add_command(commands, "restore", "bring runs back from the trash or the archive")
    back.add_argument("runs", nargs="+", metavar="RUN", help=RUN_HELP)
    named = add_command(commands, "rename", "give a run another name; its id stays")
    named.add_argument("run", help=RUN_HELP)
    named.add_argument("name", help="the new name; an empty one brings the first one back")
    tagging = add_command(commands, "tag", "give a run words to find it by")
    tagging.add_argument("run", help=RUN_HELP)
    tagging.add_argument("words", nargs="*", metavar="WORD", help="a word without blanks and commas")
    tagging.add_argument(
        "--remove", action="append", default=[], metavar="WORD", help="take this word away; repeatable"
    )
    noting = add_command(commands, "note", "note a remark about a run")
    noting.add_argument("run", help=RUN_HELP)
    noting.add_argument("text", help="the remark; an empty one takes it away")
