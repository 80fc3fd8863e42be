"""What the verbs about runs that one keeps take and answer: labels, archive, trash."""

from typing import Annotated, ClassVar, TypeAlias

import msgspec
from msgspec import Meta

from remote.protocol.arguments import Count, Name, RunId, Text, VerbArgs
from remote.protocol.results import VerbResult
from remote.protocol.values import Finite, Size
from remote.protocol.views import Tag

Note: TypeAlias = Annotated[str, Meta(max_length=2000)]


class LabelArgs(VerbArgs, frozen=True, kw_only=True):
    """What changes of a run's labels; None leaves name and note as they are, empty takes them away."""

    run_id: RunId
    name: Name | None = None
    note: Note | None = None
    add: Annotated[list[Tag], Meta(max_length=32)] = msgspec.field(default_factory=list)
    remove: Annotated[list[Tag], Meta(max_length=32)] = msgspec.field(default_factory=list)
    by: Name = ""


class KeepArgs(VerbArgs, frozen=True, kw_only=True):
    """A run that goes to the trash, or comes back from there or from the archive."""

    run_id: RunId
    by: Name = ""


class ArchiveArgs(KeepArgs, frozen=True, kw_only=True):
    """A run that leaves the list; `to`: a folder of the host that it moves into (empty: none)."""

    to: Text = ""


class PurgeArgs(VerbArgs, frozen=True, kw_only=True):
    """Runs that leave the trash for good; none named: all that lie there longer than `older_s` seconds."""

    run_ids: Annotated[list[RunId], Meta(max_length=1000)] = msgspec.field(default_factory=list)
    older_s: Annotated[float, Meta(ge=0, le=1e10)] = 0.0
    by: Name = ""


class TrashArgs(VerbArgs, frozen=True, kw_only=True):
    """How many rows an earlier page told."""

    skip: Count = 0


class KeptRun(VerbResult, frozen=True, kw_only=True):
    """Where a run is now: `runs`, `archive`, `trash`, or a folder; and how many bytes it takes."""

    run_id: str
    name: str
    state: str
    where: str
    bytes: Size = 0


class TrashedRun(VerbResult, frozen=True, kw_only=True):
    """A run in the trash; `at`: since when, epoch seconds of the host's clock."""

    run_id: str
    name: str
    state: str
    at: Finite
    bytes: Size = 0
    tags: list[str] = msgspec.field(default_factory=list)


class TrashList(VerbResult, frozen=True, kw_only=True):
    """What lies in the trash, the newest first; `next`: the `skip` that goes on there, or 0."""

    ROWS: ClassVar[tuple[str, type]] = ("runs", TrashedRun)

    runs: list[TrashedRun]
    wall: Finite
    next: Size = 0
    troubles: list[str] = msgspec.field(default_factory=list)


class Purged(VerbResult, frozen=True, kw_only=True):
    """What was removed for good, and what that freed."""

    run_ids: list[str]
    bytes: Size
