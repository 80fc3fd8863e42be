"""Code that was shipped with a run: whether it is on this host, and which folder of it the run begins in."""

from pathlib import Path

from remote.protocol.errors import CallError
from remote.supervisor.process.work_copy import folder_of
from trainer.run.disk.tree_copies import code_place
from trainer.run.layout import RunDir
from trainer.run.spec import RunSpec


def begins_in(spec: RunSpec, run: RunDir) -> Path:
    """Where its processes will begin; until it has its own copy of the code, in the shipped one."""
    if spec.code and not run.code.is_dir():
        return code_place(run.path.parents[1], str(spec.code["sha256"])).path / spec.cwd
    return folder_of(spec, run)


def demand_code(spec: RunSpec, run: RunDir) -> None:
    """Refuse a run whose shipped code is not here.

    Raises:
        CallError: `refused`.
    """
    if not spec.code or run.code.is_dir():
        return
    digest = str(spec.code["sha256"])
    place = code_place(run.path.parents[1], digest)
    if not place.path.is_dir() or not place.record.is_file():
        raise CallError(
            "refused",
            f"the code {digest[:12]} of {spec.name} is not on this host",
            "photinus start --ship FOLDER --command -- PROGRAM ... brings it",
        )
    if spec.cwd and not (place.path / spec.cwd).is_dir():
        raise CallError(
            "refused", f"there is no folder {spec.cwd} in the shipped code", "name another with --cwd"
        )
