"""What verbs about what a trainer keeps (checkpoints, a feed) take and answer, the trainer's own words."""

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from remote.protocol.arguments import Name, RunId, VerbArgs
from remote.protocol.results import VerbResult
from remote.protocol.values import Finite, Size


class TrainerArgs(VerbArgs, frozen=True, kw_only=True):
    """Words of `photinus-train checkpoints` or `feed`, without the run: `["diff", "1000", "best"]`."""

    run_id: RunId
    room: Literal["checkpoints", "feed"]
    words: Annotated[list[Annotated[str, Meta(max_length=128)]], Meta(min_length=1, max_length=64)]
    by: Name = ""


class TrainerAnswer(VerbResult, frozen=True, kw_only=True):
    """What that program printed, what it said on stderr, and its exit code."""

    run_id: str
    code: Size
    out: str
    said: str = ""


class RetentionAnswer(VerbResult, frozen=True, kw_only=True):
    """What `checkpoints retain --json` prints: name -> the rule that keeps it, and the names that go.

    `plan` names this very plan; empty from a Photinus that knows none.
    """

    keep: dict[str, str]
    remove: list[str]
    done: bool = False
    plan: str = ""


class RestoredCheckpoints(VerbResult, frozen=True, kw_only=True):
    """What `checkpoints restore --json` prints."""

    restored: list[str] = msgspec.field(default_factory=list)


class LedgerLine(VerbResult, frozen=True, kw_only=True):
    """A line of a feed's ledger, as far as it is shown; `docs/feed.md` says what each means."""

    name: str = ""
    priority: str = ""
    examples: int = 0
    tokens: int = 0
    start: int = 0
    end: int = 0
    loss_first: Finite | None = None
    loss_last: Finite | None = None
    val_before: Finite | None = None
    val_after: Finite | None = None
    regression: bool = False
    reason: str = ""


class LedgerShard(VerbResult, frozen=True, kw_only=True):
    """A shard of a feed: how it was admitted, how it was begun last, and what came of it."""

    shard: str
    state: str
    admitted: LedgerLine
    begun: LedgerLine | None = None
    ended: LedgerLine | None = None


class FeedReport(VerbResult, frozen=True, kw_only=True):
    """What `feed list --json` prints: the shards in the order of their admission, those that wait in theirs.

    `inbox`: files that were not taken yet. `paused`: why it is, empty where it is not. `refused`: files that
    became no shard; `left_out`: shards that are not listed.
    """

    ROWS: ClassVar[tuple[str, type]] = ("shards", LedgerShard)

    shards: list[LedgerShard]
    waiting: list[str] = msgspec.field(default_factory=list)
    inbox: Size = 0
    paused: str = ""
    snapshot: str = ""
    left_out: Size = 0
    refused: list[LedgerLine] = msgspec.field(default_factory=list)
    troubles: list[str] = msgspec.field(default_factory=list)


class FeedTakeArgs(VerbArgs, frozen=True, kw_only=True):
    """A file that was written into the inbox of a feed as `part`, and what it must be; without a `part`, the
    inbox is only asked for.
    """

    run_id: RunId
    priority: Literal["high", "normal", "low"] = "normal"
    part: Annotated[str, Meta(max_length=80)] = ""
    name: Annotated[str, Meta(max_length=255)] = ""
    sha256: Annotated[str, Meta(max_length=64)] = ""
    bytes: Annotated[int, Meta(ge=0, le=1 << 50)] = 0
    by: Name = ""


class FeedTaken(VerbResult, frozen=True, kw_only=True):
    """The folder of the inbox, and the name under which the file lies there now."""

    run_id: str
    dir: str
    name: str = ""
