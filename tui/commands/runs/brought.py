"""What a start brings along to its host: the code of a folder here, and texts that lie here."""

import argparse
from dataclasses import replace
from pathlib import Path

from remote.actions import StartRequest
from remote.hosts.lookup import find_host
from remote.protocol.errors import CallError
from remote.session.session import Session
from remote.transfer.trees.data_files import data_of, is_here, path_here, send_data
from remote.transfer.trees.local_tree import CODE_MAX, DATA_MAX
from remote.transfer.trees.send_tree import SendOptions
from remote.transfer.trees.shipment import CodeToShip, code_of, ship_code
from tui.commands.output import say
from tui.commands.runs.pull_push import TransferLine, size


def code_to_ship(args: argparse.Namespace) -> CodeToShip | None:
    """The code that `--ship` names, looked at before anything is sent; None without it.

    Raises:
        CallError: options that do not go together; a folder that cannot go along.
    """
    if not args.ship:
        return None
    if not args.as_command:
        raise CallError(
            "bad_request",
            "--ship is for a command: our trainer is deployed",
            "--ship . --command -- PROGRAM ...",
        )
    code = code_of(Path(args.ship), args.ship_max or CODE_MAX, args.ship_allow)
    for path in code.passed_over:
        say(f"photinus: {path} is a repository of its own, and stays here")
    return code


def with_code(session: Session, request: StartRequest, code: CodeToShip | None) -> StartRequest:
    """The request, its code on the host."""
    if code is None:
        return request
    with TransferLine() as line:
        sent = ship_code(session, code, SendOptions(on_progress=line.show))
    about = code.about
    say(f"photinus: code {about['sha256'][:12]}, {_files(about['files'])}: {_went(sent, about['bytes'])}")
    return replace(request, code=about)


def brought_data(args: argparse.Namespace, session: Session) -> str | None:
    """`--data` as the host knows it: what it names on this machine is there afterwards."""
    source: str | None = args.data
    if not source or not is_here(source):
        return source
    path = path_here(source)
    if find_host(args.host).is_local:
        return str(path)
    data = data_of(path, args.data_max or DATA_MAX)
    with TransferLine() as line:
        there, sent = send_data(session, data, SendOptions(on_progress=line.show))
    say(f"photinus: {path.name} lies at {there}: {_went(sent, data.local.tree.size)}")
    return there


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count:,} files"


def _went(sent: int, total: int) -> str:
    return f"{size(sent)} sent" if sent else f"{size(total)} were there already"
