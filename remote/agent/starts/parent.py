"""The checkpoint that a new run begins from."""

from dataclasses import replace

from remote.agent.context import Context
from remote.agent.find import find
from remote.agent.verb import Work
from remote.protocol.arguments import FindArgs
from remote.protocol.errors import CallError
from trainer.run.checkpoints.imported import locate_parent
from trainer.run.checkpoints.manifest import parse_manifest, read_manifest
from trainer.run.run_errors import CheckpointError, SpecError
from trainer.run.spec import RunSpec


def with_parent(ctx: Context, spec: RunSpec) -> Work[RunSpec]:
    """The spec with the whole id of the run that it begins from: its name or a beginning may be typed, too.

    What is a checkpoint as it stands (of a run, or brought by `push`) means that one.

    Raises:
        CallError: `bad_request`: several runs fit.
    """
    typed, _, name = spec.parent.rpartition("/")
    if not typed or _is_there(ctx, spec.parent):
        return spec
    found = yield from find(ctx, FindArgs(name=typed))
    if found.count > 1:
        one_of = ", ".join(f"{view.run_id} ({view.state})" for view in found.runs)
        raise CallError(
            "bad_request", f"{typed!r} is the {found.by} of {found.count} runs", f"one of: {one_of}"
        )
    return replace(spec, parent=f"{found.runs[0].run_id}/{name}") if found.runs else spec


def _is_there(ctx: Context, parent: str) -> bool:
    try:
        return locate_parent(ctx.home.root, parent).is_dir()
    except SpecError:
        return False


def demand_parent(ctx: Context, spec: RunSpec) -> int:
    """Bytes of the checkpoint that a new run begins from; 0 if from none.

    Raises:
        SpecError: it is no name of one.
        CallError: `not_found`.
    """
    if not spec.parent:
        return 0
    path = locate_parent(ctx.home.root, spec.parent)
    try:
        return parse_manifest(read_manifest(path), path.name).bytes
    except (OSError, CheckpointError) as error:
        raise CallError(
            "not_found",
            f"there is no checkpoint {spec.parent} on this host",
            "photinus show RUN names its last one; photinus push brings one from elsewhere",
        ) from error
