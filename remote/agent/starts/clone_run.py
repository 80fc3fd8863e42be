"""The verb `clone`: a new run with another's spec, its environment included, and changes on top."""

import time
from dataclasses import replace

from remote.agent.context import Context
from remote.agent.starts.start import start
from remote.agent.verb import Work
from remote.protocol.arguments import StartArgs
from remote.protocol.errors import CallError
from remote.protocol.keeping import CloneArgs
from remote.protocol.views import StartedRun
from trainer.run.changes import changed, checked_values
from trainer.run.records import read_changed_spec


def clone(ctx: Context, args: CloneArgs) -> Work[StartedRun]:
    """The verb. It is a start like any other: the same start id answers with the first one's run.

    Raises:
        CallError: `bad_request`: a command, or a value that is none; and what a start raises.
    """
    spec, values = read_changed_spec(ctx.run(args.run_id)), checked_values(args.set_)
    if values and spec.kind != "trainer":
        raise CallError(
            "bad_request", f"{args.run_id} is a command: it has no configuration", "leave out --set"
        )
    if args.parent and spec.kind != "trainer":
        raise CallError(
            "bad_request", f"{args.run_id} is a command: it has no checkpoints of ours", "photinus clone"
        )
    wanted = replace(
        changed(spec, values),
        run_id=args.new_id,
        name=args.name or spec.name,
        device=args.device or spec.device,
        parent=args.parent or spec.parent,
        created=time.time(),
        by=args.by or spec.by,
        env_hash="",
    )
    if values:
        from trainer.config.config_error import ConfigError  # YAML, which an agent that only looks needs not
        from trainer.config.resolve import from_values

        try:
            from_values(wanted.config)
        except ConfigError as error:
            raise CallError("bad_request", str(error)) from error
    sent = StartArgs(start_id=args.start_id, spec=wanted.to_json(), queue=args.queue)
    return (yield from start(ctx, sent))
