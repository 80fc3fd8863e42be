"""What comes along with a start: the code of a folder, as a part of the spec."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remote.protocol.errors import CallError
from remote.session.session import Session
from remote.transfer.trees.git_files import look
from remote.transfer.trees.local_tree import CODE_MAX, Limits, LocalTree, tree_of
from remote.transfer.trees.send_tree import SendOptions, send_tree


@dataclass(frozen=True, slots=True)
class CodeToShip:
    """The code of a folder, looked at; nothing of it was sent yet.

    Attributes:
        about: what the spec says of it: hash, commit, diff, and how much it is.
        passed_over: repositories inside it that do not go along.
    """

    local: LocalTree
    about: dict[str, Any]
    passed_over: tuple[str, ...]


def code_of(folder: Path, most: int = CODE_MAX, allowed: Sequence[str] = ()) -> CodeToShip:
    """Look at what git tracks and does not ignore below a folder.

    Raises:
        CallError: `not_found`, or `refused`: outside git, too much, a secret, what no other host could hold.
    """
    folder = folder.expanduser().absolute()
    if not folder.is_dir():
        raise CallError("not_found", f"{folder} is no folder", "--ship names the folder of the code")
    git = look(folder)
    local = tree_of(folder, git.paths, Limits(most, "--ship-max", frozenset(allowed)))
    about: dict[str, Any] = {
        "sha256": local.tree.sha256,
        "folder": folder.name,
        "commit": git.commit,
        "diff": git.diff,
        "files": len(local.tree.files),
        "bytes": local.tree.size,
    }
    if git.is_cut:
        about["diff_is_cut"] = True
    return CodeToShip(local, about, git.passed_over)


def ship_code(session: Session, code: CodeToShip, options: SendOptions | None = None) -> int:
    """Bring it to the host, unless it is there; how many bytes went.

    Raises:
        CallError: see `send_tree`.
    """
    return send_tree(session, code.local, "code", options=options).sent
