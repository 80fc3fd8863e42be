"""All of an archived run from one host to another, through this machine, proven file by file over there."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from remote.protocol.errors import CallError
from remote.protocol.keeping import KeepArgs, RunTree
from remote.protocol.verbs import RUN_TREE
from remote.session.session import Session
from remote.transfer.sources import FileSource, GoneError, open_source
from remote.transfer.trees.send_tree import SendOptions, SentTree, send_tree
from trainer.run.disk.file_tree import LIST_MAX, FileTree, TreeFile
from trainer.run.run_errors import RecordError

HASH_S = 3600.0  # a host reads all of the run


@dataclass(frozen=True, slots=True)
class HostTree:
    """A tree that lies on a host."""

    tree: FileTree
    folder: str
    source: FileSource

    def read(self, one: TreeFile, start: int) -> Iterator[bytes]:
        """See `TreeContents`."""
        try:
            yield from self.source.read(f"{self.folder}/{one.path}", start, one.bytes)
        except GoneError as error:
            raise CallError("refused", f"{one.path} was removed while it was copied", "try again") from error


def copy_run(
    origin: Session, target: Session, run_id: str, by: str, options: SendOptions | None = None
) -> SentTree:
    """Copy it, unless that very copy arrived before.

    Raises:
        CallError: see `send_tree`; `refused`: it is not archived, or holds what no other host could.
    """
    told = origin.call(RUN_TREE, KeepArgs(run_id=run_id, by=by), HASH_S)
    source = open_source(origin)
    try:
        tree = _tree_of(told, source, origin.host.name)
        return send_tree(target, HostTree(tree, told.dir, source), "run", run_id, options)
    finally:
        source.close()


def _tree_of(told: RunTree, source: FileSource, host: str) -> FileTree:
    try:
        data = b"".join(source.read(told.list_path, 0, min(told.list_bytes, LIST_MAX)))
        if hashlib.sha256(data).hexdigest() != told.sha256:
            raise RecordError("its list arrived changed")
        return FileTree.parse(data)
    except (RecordError, GoneError) as error:
        raise CallError(
            "refused", f"{host} did not say what {told.run_id} is made of: {error}", "try again"
        ) from error
