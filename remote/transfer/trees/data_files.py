"""Texts of this machine on their way to a host: one file, or a folder of them."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from remote.protocol.errors import CallError
from remote.session.session import Session
from remote.transfer.trees.local_tree import DATA_MAX, Limits, LocalTree, plain_files, tree_of
from remote.transfer.trees.secret_files import why_secret
from remote.transfer.trees.send_tree import SendOptions, send_tree

HERE = "local:"
NAME_MAX = 24


@dataclass(frozen=True, slots=True)
class DataToSend:
    """Texts, looked at. `file`: the one that they are; empty for a folder."""

    local: LocalTree
    name: str
    file: str


def is_here(source: str) -> bool:
    """Whether a source of text is a path of this machine, wherever the run is: `local:PATH`."""
    return source[: len(HERE)].lower() == HERE


def path_here(source: str) -> Path:
    """The path that it names."""
    return Path(source[len(HERE) :]).expanduser().absolute()


def data_of(path: Path, most: int = DATA_MAX) -> DataToSend:
    """Look at a file, or at all that is not hidden below a folder.

    Raises:
        CallError: `not_found`, or `refused`: too much, or the name of a secret.
    """
    if not path.exists():
        raise CallError("not_found", f"there is no {path} on this machine", "--data local:PATH names one")
    folder = path.is_dir()
    root, paths = (path, plain_files(path)) if folder else (path.parent, [path.name])
    if folder:
        _demand_inside(path, paths)
    local = tree_of(root, paths, Limits(most, "--data-max"), follows=True, scans=False)
    name = re.sub(r"[^A-Za-z0-9]+", "-", path.name if folder else path.stem)[:NAME_MAX].strip("-") or "data"
    return DataToSend(local, name, "" if folder else path.name)


def _demand_inside(folder: Path, paths: list[str]) -> None:
    """A link goes as the file that it points to, only where that is one of the folder's own, not hidden."""
    top = Path(os.path.realpath(folder))
    for path in paths:
        if not (folder / path).is_symlink():
            continue
        real = Path(os.path.realpath(folder / path))
        below = real.relative_to(top) if real.is_relative_to(top) else None
        if below is None or any(part.startswith(".") for part in below.parts) or why_secret(str(below)):
            raise CallError(
                "refused",
                f"{path} is a link to {real}, which is not among the texts of {folder}: nothing was sent",
                "put a copy in its place, or remove the link",
                {"file": path},
            )


def send_data(session: Session, data: DataToSend, options: SendOptions | None = None) -> tuple[str, int]:
    """Bring them into the host's corpora, unless they are there; their path there, and how many bytes went.

    Raises:
        CallError: see `send_tree`.
    """
    sent = send_tree(session, data.local, "data", data.name, options)
    return (f"{sent.path}/{data.file}" if data.file else sent.path), sent.sent
