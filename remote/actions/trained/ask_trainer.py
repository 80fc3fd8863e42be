"""What a run of a host keeps, asked of `photinus-train` there; and files for one that is fed."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from remote.actions.kept.keep import ask
from remote.audit.whoami import whoami
from remote.protocol.errors import CallError
from remote.protocol.trained import FeedTakeArgs, FeedTaken, TrainerAnswer, TrainerArgs
from remote.protocol.verbs import FEED_TAKE, TRAINER_ACT, TRAINER_LOOK
from remote.session.session import Session

CHUNK = 1 << 20
ANSWER_S = 90.0
LONG_S = 700.0
SECONDS_A_BYTE = 1 / 50e6
LOOKS = frozenset({"list", "show", "diff", "verify", "lineage"})
Priority = Literal["high", "normal", "low"]
Write = Callable[[str, Iterator[bytes]], None]


def ask_trainer(session: Session, run_id: str, room: str, words: list[str]) -> TrainerAnswer:
    """Return what `photinus-train ROOM WORDS` says of a run there.

    Raises:
        CallError: it knows no such word, or the host's Photinus is older.
    """
    looks = words[0] in LOOKS or "--plan" in words
    args = TrainerArgs(
        run_id=run_id, room="feed" if room == "feed" else "checkpoints", words=words, by=whoami()
    )
    patience = LONG_S if words[0] == "verify" else ANSWER_S
    return ask(session, TRAINER_LOOK if looks else TRAINER_ACT, args, patience)


def feed_file(session: Session, run_id: str, path: Path, priority: Priority, write: Write) -> FeedTaken:
    """Bring a file into the inbox of a feed; it appears there whole and proven, or not at all.

    Args:
        write: puts pieces into a file of the host.

    Raises:
        CallError: the run is no feed, the file cannot be read or written, or arrived changed.
    """
    args = FeedTakeArgs(run_id=run_id, priority=priority, by=whoami())
    place = ask(session, FEED_TAKE, args)
    digest, size = hashlib.sha256(), 0

    def pieces() -> Iterator[bytes]:
        nonlocal size
        with path.open("rb") as file:
            while data := file.read(CHUNK):
                digest.update(data)
                size += len(data)
                yield data

    part = f".{os.urandom(12).hex()}.part"
    try:
        write(f"{place.dir}/{part}", pieces())
    except OSError as error:
        raise CallError("not_found", f"{path}: {error.strerror}", "name a file that you can read") from error
    proven = FeedTakeArgs(
        run_id=run_id, priority=args.priority, part=part, name=path.name, sha256=digest.hexdigest(),
        bytes=size, by=args.by,
    )  # fmt: skip
    return ask(session, FEED_TAKE, proven, ANSWER_S + size * SECONDS_A_BYTE)
