"""What operators ask of a feed, and the answers: files, so that they survive every process."""

import os
import time
from dataclasses import asdict, dataclass
from typing import Literal, get_args

import msgspec

from trainer.feed.feed_folder import FeedFolder
from trainer.run.disk.atomic import read_json, write_json
from trainer.run.layout import check_short_id
from trainer.run.run_errors import RecordError, SpecError

FeedVerb = Literal["pause", "resume", "stop", "skip", "retry", "move", "snapshot"]
VERBS: tuple[str, ...] = get_args(FeedVerb)
ABOUT_A_SHARD = ("skip", "retry", "move")
ACK, SUFFIX = ".ack.json", ".json"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRequest:
    """One wish. `place` is that of a shard in the queue, 1 for the next one."""

    req_id: str
    verb: FeedVerb
    shard: str = ""
    place: int = 1
    at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedAck:
    """The answer to a wish: whether it had an effect, and which or why not."""

    req_id: str
    done: bool
    message: str
    at: float = 0.0


def ask_feed(folder: FeedFolder, verb: str, shard: str = "", place: int = 1) -> str:
    """Leave a wish; return its id.

    Raises:
        SpecError: no such verb, or a shard is missing.
    """
    if verb not in VERBS:
        raise SpecError(f"unknown request {verb!r} ({', '.join(VERBS)})")
    if verb in ABOUT_A_SHARD and not shard:
        raise SpecError(f"{verb} needs a shard; `photinus-train feed list` names them")
    folder.create()
    req_id = os.urandom(6).hex()
    request = {"req_id": req_id, "verb": verb, "shard": shard, "place": place, "at": time.time()}
    write_json(folder.requests / f"{req_id}{SUFFIX}", request)
    return req_id


def pending_requests(folder: FeedFolder) -> list[FeedRequest]:
    """Return the wishes without an answer, the oldest first; a foreign file is nobody's wish."""
    try:
        names = {entry.name for entry in os.scandir(folder.requests)}
    except FileNotFoundError:
        return []
    found = []
    for name in names:
        stem = name.removesuffix(SUFFIX)
        if name.startswith(".") or name.endswith(ACK) or stem == name or stem + ACK in names:
            continue
        try:
            request = msgspec.convert(read_json(folder.requests / name), FeedRequest)
            check_short_id(request.req_id, "request id")
        except (msgspec.ValidationError, RecordError, SpecError):
            continue
        if request.req_id == stem:
            found.append(request)
    return sorted(found, key=lambda one: (one.at, one.req_id))


def answer_feed(folder: FeedFolder, request: FeedRequest, done: bool, message: str) -> None:
    """Answer a wish."""
    ack = FeedAck(req_id=request.req_id, done=done, message=message, at=time.time())
    write_json(folder.requests / f"{request.req_id}{ACK}", asdict(ack))


def feed_answer(folder: FeedFolder, req_id: str) -> FeedAck | None:
    """Return the answer to a wish, or None while there is none."""
    raw = read_json(folder.requests / f"{req_id}{ACK}")
    return None if raw is None else msgspec.convert(raw, FeedAck)
