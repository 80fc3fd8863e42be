"""The checkpoint that a new run begins from."""

from remote.agent.context import Context
from remote.protocol.errors import CallError
from trainer.run.checkpoints.imported import locate_parent
from trainer.run.checkpoints.manifest import (
    MANIFEST,
    parse_manifest,
)
from trainer.run.run_errors import CheckpointError
from trainer.run.spec import RunSpec


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
        return parse_manifest((path / MANIFEST).read_bytes(), path.name).bytes
    except (OSError, CheckpointError) as error:
        raise CallError(
            "not_found", f"there is no checkpoint {spec.parent} on this host", "photinus push brings one here"
        ) from error
