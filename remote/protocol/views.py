"""What an agent says of a run and of itself, parsed once at the edge into frozen values."""

import fnmatch
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Annotated, Any, Self, TypeAlias

import msgspec
from msgspec import Meta

from remote.protocol.errors import ProtocolError
from remote.protocol.sanitise import clean_line
from remote.protocol.values import Finite, read_as
from trainer.run.states import TERMINAL

WATCHED = frozenset({"awaited", "writing", "silent", "gone"})
"""States of files that are watched, and of no run of ours: what they have instead of a run's."""
Tag: TypeAlias = Annotated[str, Meta(pattern=r"\A[^\s,\x00-\x1f\x7f]{1,40}\Z")]
MOMENT_MAX = 1e11  # some thousand years: what a calendar can still say


def checked(raw: Mapping[str, Any], name: str, kinds: tuple[type, ...]) -> Any:
    """One field of a host's answer; texts cleaned.

    Raises:
        ProtocolError: it is missing or of another type.
    """
    value = raw.get(name)
    if isinstance(value, bool) and bool not in kinds:
        raise ProtocolError(f"field {name!r} of the host's answer is a flag")
    if isinstance(value, int) and float in kinds and not isinstance(value, bool):
        value = float(value) if abs(value) < 1 << 63 else math.inf
    if not isinstance(value, kinds):
        raise ProtocolError(f"field {name!r} of the host's answer is missing or of the wrong type")
    if isinstance(value, float) and not math.isfinite(value):
        raise ProtocolError(f"field {name!r} of the host's answer is not a finite number")
    return clean_line(value) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class LastCheckpoint:
    """The newest checkpoint of a run. `sha256` is of its manifest; `at` is epoch seconds."""

    step: int
    name: str
    sha256: str
    at: Finite


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run as its host's files tell it.

    Attributes:
        pid, supervisor_pid: None where there is no such process now.
        since, created: epoch seconds of the host's clock.
        max_steps: 0 where unknown (a command).
        why_not: why `resumable` is false; empty where it is true.
        log_file: the newest file name in log/; empty before the first.
        dir: the run's directory on its host.
        place, ahead: of a queued run, which one in line it is (1: the next) and the run directly before it; 0
            and empty where it does not wait, or the host's agent is of before 1.1.
        step: of a run that is over, its last step as its own last word has it; None where it left none.
        tags, note, archived: its labels; archived since when, 0 where it is not.
        began: its newest attempt, epoch seconds of the host's clock; None where that is not known.
    """

    run_id: str
    name: str
    kind: str
    state: str
    seq: int
    attempt: int
    reason: str
    code: int | None
    signal: int | None
    device: str
    preset: str
    since: Finite
    created: Finite
    max_steps: int
    pid: int | None
    supervisor_pid: int | None
    resumable: bool
    why_not: str
    last_checkpoint: LastCheckpoint | None
    log_file: str
    dir: str
    start_id: str
    by: str = ""
    place: int = 0
    ahead: str = ""
    step: int | None = None
    tags: tuple[str, ...] = ()
    note: str = ""
    archived: Finite = 0.0
    began: Finite | None = None

    @property
    def is_terminal(self) -> bool:
        """Whether this run is over."""
        return self.state in TERMINAL

    @property
    def is_watched(self) -> bool:
        """Whether it is files that somebody else's run writes, which are only looked at."""
        return self.state in WATCHED

    @property
    def is_live(self) -> bool:
        """Whether it goes on: a run that is not over, and of what is watched what is being written."""
        return self.state == "writing" or not (self.is_terminal or self.is_watched)

    @property
    def has_failed(self) -> bool:
        """Whether it is over and neither succeeded nor was stopped on request."""
        return self.is_terminal and self.state not in ("stopped", "succeeded")

    def to_json(self) -> dict[str, Any]:
        """Plain values for the wire."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: object) -> "RunView":
        """Check and freeze a host's answer. Fields of a later minor version are passed over.

        Raises:
            ProtocolError: a field is missing or of the wrong type; the message names it.
        """
        return read_as(cls, raw)


class RunFilter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which runs are meant: all that is said must hold.

    Attributes:
        states: one of these. tags: all of these.
        name: a pattern (`*`, `?`) of the name or the id; without such a sign, a part of either.
        after, before: when it came into its state (`since`), epoch seconds of the host's clock.
        archived: those that are archived, and no others; else those that are not.
    """

    states: Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=16)] = []
    tags: Annotated[list[Tag], Meta(max_length=32)] = []
    name: Annotated[str, Meta(max_length=200)] = ""
    after: Finite | None = None
    before: Finite | None = None
    archived: bool = False

    def fits(self, view: RunView) -> bool:
        """Whether a run is meant."""
        return (
            (not self.states or view.state in self.states)
            and set(self.tags) <= set(view.tags)
            and (not self.name or self._is_named(view.name) or self._is_named(view.run_id))
            and (self.after is None or view.since >= self.after)
            and (self.before is None or view.since <= self.before)
            and bool(view.archived) == self.archived
        )

    def _is_named(self, name: str) -> bool:
        if "*" in self.name or "?" in self.name:
            return fnmatch.fnmatchcase(name, self.name)
        return self.name in name


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendedRun(RunView):
    """A run, and what a verb says of it beside."""

    @classmethod
    def of(cls, view: RunView, **more: Any) -> Self:
        """The run with these fields beside."""
        return cls(**{field.name: getattr(view, field.name) for field in fields(RunView)}, **more)

    @property
    def view(self) -> RunView:
        """The run alone."""
        return RunView(**{field.name: getattr(self, field.name) for field in fields(RunView)})


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedRun(ExtendedRun):
    """What a start became. `known`: its start id was, and nothing new was started."""

    known: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedRun(ExtendedRun):
    """What a stop or a kill made of a run. `ended`: what outlived a run that was over, and was ended now."""

    ended: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointBrief:
    """A checkpoint of a run in a few words; None where its manifest cannot be read."""

    name: str
    step: int
    kind: str | None
    bytes: int | None
    metrics: Mapping[str, Any]
    readable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetails(ExtendedRun):
    """A run with its spec (of its environment the names alone), checkpoints and processes.

    Attributes:
        wall: the host's clock, epoch seconds.
        checkpoints: the newest 200, newest first.
        ended: its newest attempt, epoch seconds of the host's clock.
        log_end: the last lines of the log of a run that failed.
        left: what still lives of a run that is over.
    """

    wall: Finite
    spec: Mapping[str, Any]
    checkpoints: tuple[CheckpointBrief, ...] = ()
    process: Mapping[str, Any] | None = None
    ended: Finite | None = None
    log_end: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HostHello:
    """An agent's first answer. `agent_epoch` is new with every agent process, `boot_id` with every boot.

    `wheel_sha256` and `env` are of a deployed environment; empty where the agent runs from something else.
    """

    proto: Annotated[tuple[int, ...], Meta(min_length=1)]
    version: str
    host_id: str
    boot_id: str
    agent_epoch: str
    wall: Finite
    pid: int
    platform: str
    python: str
    devices: tuple[str, ...]
    wheel_sha256: str = ""
    env: str = ""

    @property
    def has_pages(self) -> bool:
        """Whether it knows `find`, and `runs` by pages: both came with protocol 1.1."""
        return self.proto >= (1, 1)

    @classmethod
    def from_json(cls, raw: object) -> "HostHello":
        """Check and freeze.

        Raises:
            ProtocolError: malformed.
        """
        return read_as(cls, raw)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One line.

    Attributes:
        at: epoch seconds of the clock of the machine that wrote it.
        outcome: `asked` before it is tried, then `ok` or an error's code; `said` is the error's sentence.
    """

    at: Annotated[float, Meta(ge=-MOMENT_MAX, le=MOMENT_MAX)]
    who: str
    verb: str
    run: str = ""
    host: str = ""
    args: Mapping[str, Any] = field(default_factory=dict)
    outcome: str = "ok"
    said: str = ""
