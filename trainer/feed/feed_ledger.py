"""The ledger of a feed: what happened to every shard, one JSON object a line, appended and synced.

The state of the queue is a pure function of these lines, so nothing else has to survive a kill.
"""

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import msgspec

from trainer.feed.feed_folder import PRIORITIES
from trainer.run.disk.atomic import append_whole, open_append, sync_to_disk

LEDGER_MAX = 64 << 20
What = Literal[
    "admitted", "refused", "duplicate", "begun", "done", "skipped", "failed", "retried", "ordered",
    "paused", "resumed", "snapshot",
]  # fmt: skip
ShardState = Literal["waiting", "training", "done", "skipped", "failed"]


class FeedEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line.

    Attributes:
        at: Unix seconds.
        shard: whom it is about, `0001-<8 hex digits of its content>`.
        claim: the name under which the file was taken from the inbox; what a kill left is known by it.
        sha256, tokens_sha256: of the examples' text, and of the file of their tokens.
        tokens, cut: tokens that are trained, and those of lines of JSON that did not fit the context.
        start, end: the run's steps before the first and after the last step of the shard.
        replayed: examples of earlier shards among its own, drawn from `replay_of`.
        loss_first, loss_last: of its first step, and the mean of its last ones.
        val_before, val_after: CE on the fixed held-out text; `regression`: it rose.
        order: every waiting shard, in the order in which they come.
        date: local, of a snapshot; `checkpoint`: its name.
    """

    what: What
    at: float
    shard: str = ""
    name: str = ""
    claim: str = ""
    priority: str = "normal"
    sha256: str = ""
    tokens_sha256: str = ""
    bytes: int = 0
    examples: int = 0
    tokens: int = 0
    cut: int = 0
    start: int = 0
    end: int = 0
    replayed: int = 0
    replay_of: tuple[str, ...] = ()
    loss_first: float | None = None
    loss_last: float | None = None
    val_before: float | None = None
    val_after: float | None = None
    regression: bool = False
    reason: str = ""
    order: tuple[str, ...] = ()
    date: str = ""
    checkpoint: str = ""


@dataclass(frozen=True, slots=True)
class QueuedShard:
    """A shard as the ledger has it: how it was admitted, how it was begun last, and what came of it."""

    admitted: FeedEvent
    state: ShardState = "waiting"
    begun: FeedEvent | None = None
    ended: FeedEvent | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the state and the three lines, as plain values."""
        lines = (("admitted", self.admitted), ("begun", self.begun), ("ended", self.ended))
        return {"state": self.state, **{name: msgspec.to_builtins(one) for name, one in lines if one}}


@dataclass(slots=True)
class FeedState:
    """What a ledger comes to.

    Attributes:
        shards: by id, in the order of their admission.
        waiting: ids, in the order in which they come.
        walk: ids in the order in which they were trained; each begins where the one before it ended.
        claims: files of the inbox that are dealt with.
        refused: files that became no shard, and why.
        paused: why the feed is paused; "" if it is not.
        began: when the first line was written, Unix seconds; 0 before it.
        snapshot: date of the last snapshot, `2026-11-30`; "" for none.
        torn: lines that could not be read.
    """

    shards: dict[str, QueuedShard] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    walk: list[str] = field(default_factory=list)
    claims: set[str] = field(default_factory=set)
    refused: list[FeedEvent] = field(default_factory=list)
    paused: str = ""
    began: float = 0.0
    snapshot: str = ""
    val_ce: float | None = None
    torn: int = 0

    def take(self, event: FeedEvent) -> None:
        """Take one line into the state. A line about a shard that was never admitted is nobody's."""
        self.began = self.began or event.at
        if event.claim:
            self.claims.add(event.claim)
        if event.what == "admitted":
            self.shards[event.shard] = QueuedShard(event)
            self._wait(event.shard)
        elif event.what in ("refused", "duplicate"):
            self.refused.append(event)
        elif event.what in ("paused", "resumed"):
            self.paused = (event.reason or "paused") if event.what == "paused" else ""
        elif event.what == "snapshot":
            self.snapshot = event.date
        elif event.what == "ordered":
            rest = [one for one in self.waiting if one not in event.order]
            self.waiting = [one for one in event.order if one in self.waiting] + rest
        elif event.shard in self.shards:
            self._turn(event, self.shards[event.shard])

    def shown(self, most: int) -> list[str]:
        """Return at most so many shards, in their order: those that train or wait, then the newest."""
        first = [key for key, one in self.shards.items() if one.state == "training"] + self.waiting
        known = set(first)
        rest = [key for key in reversed(self.shards) if key not in known]
        chosen = {*[*first, *rest][:most]}
        return [key for key in self.shards if key in chosen]

    def last_refused(self, most: int) -> list[FeedEvent]:
        """Return at most so many files that are no shards, the newest last."""
        return self.refused[max(len(self.refused) - most, 0) :]

    def holder_of(self, sha256: str) -> str:
        """Return the shard that has this content; "" if none has."""
        return next((key for key, one in self.shards.items() if one.admitted.sha256 == sha256), "")

    def _turn(self, event: FeedEvent, shard: QueuedShard) -> None:
        key = event.shard
        if event.what == "begun":
            self._leave(key)
            self.walk.append(key)
            self.shards[key] = replace(shard, state="training", begun=event)
        elif event.what == "done":
            self.val_ce = event.val_after if event.val_after is not None else self.val_ce
            self.shards[key] = replace(shard, state="done", ended=event)
        elif event.what == "skipped":
            if shard.state == "waiting":
                self._leave(key)
            self.shards[key] = replace(shard, state="skipped", ended=event)
        elif event.what == "failed":  # the run stepped back, as a rule to where the shard began
            if shard.begun is None or event.end <= shard.begun.start:
                self._leave(key)
            self.shards[key] = replace(shard, state="failed", ended=event)
        elif event.what == "retried" and shard.state in ("failed", "skipped") and key not in self.walk:
            self.shards[key] = replace(shard, state="waiting", ended=None)
            self._wait(key)

    def _leave(self, key: str) -> None:
        self.waiting = [one for one in self.waiting if one != key]
        self.walk = [one for one in self.walk if one != key]

    def _wait(self, key: str) -> None:
        """Queue a shard behind those of its priority."""
        place = PRIORITIES.index(self.shards[key].admitted.priority)
        ranks = [PRIORITIES.index(self.shards[one].admitted.priority) for one in self.waiting]
        at = next((number for number, rank in enumerate(ranks) if rank > place), len(ranks))
        self.waiting.insert(at, key)


def read_ledger(path: Path) -> FeedState:
    """Return what the ledger comes to; a line that cannot be read costs itself alone."""
    state = FeedState()
    try:
        with path.open("rb") as file:
            raw = file.read(LEDGER_MAX)
    except FileNotFoundError:
        return state
    for line in raw.split(b"\n"):
        if not line.strip():
            continue
        try:
            event = msgspec.json.decode(line, type=FeedEvent)
        except (msgspec.MsgspecError, RecursionError):
            state.torn += 1
            continue
        if event.priority in PRIORITIES:
            state.take(event)
    return state


class FeedLedger:
    """The ledger of a running feed: it alone appends, and has the state at hand."""

    def __init__(self, path: Path) -> None:
        """Read what is there, and close a line that a kill has torn."""
        self._path = path
        self.state = read_ledger(path)
        if path.exists() and not path.read_bytes().endswith(b"\n") and path.stat().st_size:
            self._append(b"\n")

    def note(self, event: FeedEvent) -> None:
        """Append a line; it is on disk when this returns.

        Raises:
            OSError: the disk refused.
        """
        self._append(msgspec.json.encode(event) + b"\n")
        self.state.take(event)

    def _append(self, data: bytes) -> None:
        fd = open_append(self._path)
        try:
            append_whole(fd, data)
            sync_to_disk(fd)
        finally:
            os.close(fd)
