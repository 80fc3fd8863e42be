"""`checkpoints RUN branch CKPT`: a new run from a checkpoint, with all that its parent was asked."""

import argparse

from remote.actions.kept.begin_like import begin_like, other_device
from remote.protocol.arguments import RunArgs
from remote.protocol.errors import CallError
from remote.protocol.verbs import RUN
from remote.protocol.views import RunView
from remote.session.session import Session
from remote.transfer.catalog import RemoteCheckpoint, read_catalog
from trainer.config.resolve import parse_overrides
from trainer.run.checkpoints.manifest import checkpoint_name
from tui.commands.find_run import find_view
from tui.commands.host_session import link_to
from tui.commands.output import FAILURE, OK, answer, say
from tui.commands.spec_rows import changes_of, diff_words, flat

CONNECT_S = 20.0


def branch(args: argparse.Namespace) -> int:
    """Start it where the checkpoint lies: preset, text, settings and environment are the parent's."""
    if len(args.names) != 1:
        raise CallError(
            "bad_request", "a branch begins from one checkpoint", "photinus checkpoints RUN branch CKPT"
        )
    with link_to(args.host) as session:
        view = find_view(session, args.run)
        if view.kind != "trainer":
            raise CallError(
                "bad_request", f"{view.run_id} is a command: it has no checkpoints of ours", "photinus clone"
            )
        found = chosen(session, view, args.names[0])
        asked = session.call(RUN, RunArgs(run_id=view.run_id)).spec
        spec, changes = flat(asked), parse_overrides(args.overrides)
        steps = changes.get("steps", spec.get("steps"))
        if isinstance(steps, int) and found.step >= steps:
            raise CallError(
                "bad_request",
                f"{found.name} is at step {found.step} of {steps}: no step is left to do",
                f"--set steps=N, N > {found.step}",
            )
        device = other_device(args.device or "", changes, asked, session.wait_connected(CONNECT_S).devices)
        rows = changes_of(spec, changes, device)
        for row in rows:
            say(diff_words(row))
        parent = f"{view.run_id}/{found.name}"
        new = begin_like(
            session, view, changes, device=device, name=args.name or "", queue=args.queue, parent=parent
        )
    answer(
        {"run_id": new.run_id, "state": new.state, "parent": parent, "diff": rows},
        args.json,
        lambda row: f"{row['run_id']} is {row['state']}, from {row['parent']}",
    )
    return FAILURE if new.has_failed else OK


def chosen(session: Session, view: RunView, text: str) -> RemoteCheckpoint:
    """The checkpoint of the run that `text` names: `step-NNNNNNNN`, its step, `latest` or `best`.

    Raises:
        CallError: `not_found`, or `refused`: it cannot be read.
    """
    known = read_catalog(session, view.run_id).checkpoints
    name = checkpoint_name(int(text)) if text.isascii() and text.isdigit() and len(text) < 16 else text
    found = next((one for one in known if _is_meant(one, text, name)), None)
    if found is None:
        there = f"there are {known[0].name} to {known[-1].name}" if known else "there is none"
        raise CallError(
            "not_found",
            f"{view.run_id} has no checkpoint {text[:40]!r}; {there}",
            f"photinus checkpoints {view.run_id} lists them",
        )
    if found.why:
        raise CallError("refused", f"{found.name}: {found.why}", "name another checkpoint")
    return found


def _is_meant(one: RemoteCheckpoint, text: str, name: str) -> bool:
    if text in ("latest", "best"):
        return one.is_latest if text == "latest" else one.is_best
    return one.name == name
