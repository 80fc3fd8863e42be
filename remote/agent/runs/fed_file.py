"""The verb `feed-take`: a file that was brought into the inbox of a feed gets its name, once it is proven."""

import os
import re
import time
from pathlib import Path

from remote.agent.background import in_thread
from remote.agent.context import Context
from remote.agent.runs.receive import arrived
from remote.agent.runs.trained_folder import trained_folder
from remote.agent.verb import Work
from remote.protocol.errors import CallError
from remote.protocol.trained import FeedTakeArgs, FeedTaken
from trainer.run.disk.atomic import take_name
from trainer.run.disk.leftovers import clear_old_parts
from trainer.run.run_errors import RecordError

SETTLED_S = 2.0
NAME_MAX = 240  # bytes: where the name is taken, more is put behind it
PART = re.compile(r"\.[0-9a-f]{16,64}\.part")
FILE = re.compile(r"[^./\x00-\x1f\x7f][^/\x00-\x1f\x7f]{0,200}")


def feed_take(ctx: Context, args: FeedTakeArgs) -> Work[FeedTaken]:
    """The verb: prove what lies there as `part`, and let the feed have it as `name`.

    Raises:
        CallError: `not_found`: no feed, or no such file; `bad_request`; `damaged`: it is not what was sent.
    """
    run = ctx.run(args.run_id)
    inbox = trained_folder(ctx, run) / "feed" / "inbox"
    place = inbox if args.priority == "normal" else inbox / args.priority
    if not place.is_dir() or place.is_symlink():
        raise CallError("not_found", f"{run.run_id} is no feed", "photinus-train feed run makes one")
    if not args.part:
        return FeedTaken(run_id=run.run_id, dir=str(place))
    is_long = len(os.fsencode(args.name)) > NAME_MAX
    if is_long or not PART.fullmatch(args.part) or not FILE.fullmatch(args.name):
        raise CallError("bad_request", f"{args.name[:80]!r} is no name for a file of the inbox", "rename it")
    part = place / args.part
    sha256, size = yield from in_thread(lambda: _hash(part))
    if (sha256, size) != (args.sha256, args.bytes):
        part.unlink(missing_ok=True)
        raise CallError("damaged", f"{args.name} arrived changed: it was not taken", "send it again")
    past = time.time() - SETTLED_S
    os.utime(part, (past, past))  # it is whole: the feed need not wait whether more comes
    try:
        target = take_name(part, place / args.name)
    except FileNotFoundError as error:  # asked twice: the other answer has it
        raise CallError("not_found", f"{part.name} was taken already", "send it again") from error
    clear_old_parts(place)
    return FeedTaken(run_id=run.run_id, dir=str(place), name=target.name)


def _hash(path: Path) -> tuple[str, int]:
    try:
        return arrived(path)
    except (OSError, RecordError) as error:
        raise CallError("not_found", f"{path.name} does not lie in the inbox", "send it again") from error
