"""The folder that a run works in: of shipped code its own copy, so that its writes change no other run's.

The tree under `code/` stays as it was shipped and is named by its hash; the copy may be written to. Before
each attempt every shipped file of the copy is hashed again: what is another one is told, and runs as it is.
"""

import shutil
from pathlib import Path

from trainer.run.disk.atomic import write_bytes
from trainer.run.disk.file_tree import LIST_MAX, FileTree
from trainer.run.disk.small_record import read_small
from trainer.run.disk.tree_copies import code_place, copy_tree, differing
from trainer.run.layout import RunDir
from trainer.run.run_errors import RecordError
from trainer.run.spec import RunSpec

NAMED = 4


def folder_of(spec: RunSpec, run: RunDir) -> Path:
    """Where its processes begin."""
    if spec.code:
        return run.code / spec.cwd
    return Path(spec.cwd) if spec.cwd else Path.home()


def lay_out_code(spec: RunSpec, run: RunDir) -> str:
    """Have the copy; what of it is not as it was shipped, in words (empty: nothing, or no code was shipped).

    Raises:
        OSError: the shipped tree is gone or damaged, or the disk refused.
    """
    if not spec.code:
        return ""
    digest = str(spec.code["sha256"])
    if not run.code.is_dir():
        place = code_place(run.path.parents[1], digest)
        tree = _listed(place.record)
        if tree is None or tree.sha256 != digest or not place.path.is_dir():
            raise OSError(f"the shipped code {digest[:12]} is not whole on this host: start anew with --ship")
        write_bytes(run.code_list, tree.encoded)
        try:
            copy_tree(tree, place.path, run.code)
        except OSError:
            if differing(tree, place.path):  # out of the way: the next start that ships it sends it again
                shutil.rmtree(place.draft, ignore_errors=True)
                place.path.rename(place.draft)
            raise
        return ""
    tree = _listed(run.code_list)
    if tree is None or tree.sha256 != digest:
        return f"whether its code is as it was shipped ({digest[:12]}) is not known"
    changed = differing(tree, run.code)
    if not changed:
        return ""
    more = f" and {len(changed) - NAMED} more" if len(changed) > NAMED else ""
    verb = "is" if len(changed) == 1 else "are"
    return f"{', '.join(changed[:NAMED])}{more} {verb} not as shipped ({digest[:12]})"


def _listed(path: Path) -> FileTree | None:
    try:
        data = read_small(path, LIST_MAX, ours=True)
        return None if data is None else FileTree.parse(data)
    except RecordError:
        return None
