"""What each verb takes: one structure a verb, checked once, where it arrives."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias, TypeVar

import msgspec
from msgspec import Meta

from remote.protocol.errors import ProtocolError
from remote.protocol.values import Cursor
from remote.protocol.views import RunFilter, Tag

RUN_NAME = r"[a-z0-9][a-z0-9._-]{0,95}"
TICKET = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
CHECKPOINT = r"([A-Za-z0-9][A-Za-z0-9._-]{0,95})?"
REMEDY = "update the older Photinus of the two: they disagree on what is asked"

Text: TypeAlias = Annotated[str, Meta(max_length=4096)]
Short: TypeAlias = Annotated[str, Meta(max_length=64)]
Name: TypeAlias = Annotated[str, Meta(max_length=200)]
RunId: TypeAlias = Annotated[str, Meta(pattern=rf"\A{RUN_NAME}\Z")]
RunIdOrNone: TypeAlias = Annotated[str, Meta(pattern=rf"\A({RUN_NAME})?\Z")]
Ticket: TypeAlias = Annotated[str, Meta(pattern=rf"\A{TICKET}\Z")]
Sha256: TypeAlias = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=1 << 53)]
Part: TypeAlias = Annotated[int, Meta(ge=-(1 << 53), le=1 << 53)]


class VerbArgs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the arguments of every verb have in common: what has its default is not sent."""


class NoArgs(VerbArgs, frozen=True, kw_only=True):
    """Of a verb that takes nothing."""


class HelloArgs(VerbArgs, frozen=True, kw_only=True):
    """Who calls, and what it speaks."""

    proto: Annotated[list[Part], Meta(max_length=16)]
    version: Short
    client: Name


class PingArgs(VerbArgs, frozen=True, kw_only=True):
    """A number that comes back."""

    n: Count


class RunsArgs(VerbArgs, frozen=True, kw_only=True):
    """Of the runs that are over, how many (None: all that fit); of all, how many earlier pages told.

    `only`: which are meant (None: those that are not archived).
    """

    finished: Count | None = None
    skip: Count = 0
    only: RunFilter | None = None


class FindArgs(VerbArgs, frozen=True, kw_only=True):
    """What somebody typed to name a run."""

    name: Text


class RunArgs(VerbArgs, frozen=True, kw_only=True):
    """A run: of `run` and `adopt`."""

    run_id: RunId


class StartArgs(VerbArgs, frozen=True, kw_only=True):
    """A new run; `spec` is checked by `trainer.run.spec`, whose words it has.

    `inherited` is environment of this attempt alone, stored nowhere. `after`: it waits in line until that run
    succeeded; `hold`: until somebody lets it go.
    """

    start_id: Ticket
    spec: dict[str, Any]
    queue: bool = False
    inherited: dict[str, str] = {}
    after: RunIdOrNone = ""
    hold: bool = False
    tags: Annotated[list[Tag], Meta(max_length=32)] = []


class ResumeArgs(VerbArgs, frozen=True, kw_only=True):
    """A run that goes on. `from_` (`from` on the wire) is a checkpoint of it, empty for the newest.

    `set_` (`set`): what changes of its configuration; checked by `trainer.run.changes`.
    """

    start_id: Ticket
    run_id: RunId
    from_: Annotated[str, Meta(pattern=rf"\A{CHECKPOINT}\Z")] = msgspec.field(name="from", default="")
    queue: bool = False
    set_: dict[str, Any] = msgspec.field(name="set", default_factory=dict)
    by: Name = ""


class KillArgs(VerbArgs, frozen=True, kw_only=True):
    """A request to end a run."""

    run_id: RunId
    req_id: Ticket
    by: Name = ""


class StopArgs(KillArgs, frozen=True, kw_only=True):
    """The same, with the seconds after which it becomes a kill (None: never), and a further signal."""

    deadline_s: Annotated[float, Meta(ge=0, le=86400)] | None = None
    again: bool = False
    signal: Annotated[str, Meta(pattern=r"\A(SIG[A-Z0-9]{1,8})?\Z")] = ""


class StreamArgs(VerbArgs, frozen=True, kw_only=True):
    """What every stream has in common."""

    cursor: Cursor | None = None
    last: Count = 262144
    follow: bool = True
    skip: bool = False


class TailArgs(StreamArgs, frozen=True, kw_only=True):
    """The log or the events of a run."""

    run_id: RunId


class WatchArgs(StreamArgs, frozen=True, kw_only=True):
    """Any plain file."""

    path: Text


class FilesArgs(VerbArgs, frozen=True, kw_only=True):
    """Patterns of paths, and of names of files that count within a folder that fits one (none: no folder)."""

    patterns: Annotated[list[Text], Meta(min_length=1, max_length=64)]
    inside: Annotated[list[Name], Meta(max_length=64)] = []


class OlderArgs(VerbArgs, frozen=True, kw_only=True):
    """At most `n` bytes before byte `before` of a file of a stream."""

    what: Annotated[str, Meta(pattern=r"\A(log|events|watch)\Z")]
    file: Annotated[str, Meta(max_length=255)]
    before: Count
    n: Annotated[int, Meta(ge=1, le=524288)] = 262144
    run_id: RunIdOrNone = ""
    path: Text = ""


class UntailArgs(VerbArgs, frozen=True, kw_only=True):
    """An open stream."""

    stream: Count


class AckArgs(VerbArgs, frozen=True, kw_only=True):
    """How many bytes of a stream were read."""

    stream: Count
    off: Count


class ReapArgs(VerbArgs, frozen=True, kw_only=True):
    """A process that a run left behind, by pid and kernel start time."""

    run_id: RunId
    pid: Annotated[int, Meta(ge=2, le=1 << 53)]
    start: Count


class BesideArgs(VerbArgs, frozen=True, kw_only=True):
    """A device, or several: `cuda-0,cuda-1`."""

    device: Name


class EndArgs(VerbArgs, frozen=True, kw_only=True):
    """A process that is no run, by pid and kernel start time."""

    pid: Annotated[int, Meta(ge=2, le=1 << 53)]
    start: Count
    by: Name = ""


class AdmitArgs(VerbArgs, frozen=True, kw_only=True):
    """A checkpoint that comes from elsewhere, and the run that it becomes one of (empty: none)."""

    origin: RunId
    name: Annotated[str, Meta(pattern=r"\Astep-[0-9]{8,16}\Z")]
    sha256: Sha256
    run_id: RunIdOrNone = ""


class SeedArgs(AdmitArgs, frozen=True, kw_only=True):
    """The same, and how much room it needs."""

    bytes: Count


class CheckpointsArgs(VerbArgs, frozen=True, kw_only=True):
    """A run, and the step before which its checkpoints are listed; None: all."""

    run_id: RunId
    before: Count | None = None


class DoctorArgs(VerbArgs, frozen=True, kw_only=True):
    """Whether every checkpoint is hashed."""

    deep: bool = False


class AutostartArgs(VerbArgs, frozen=True, kw_only=True):
    """What to do: `install` or `remove`."""

    action: Annotated[str, Meta(pattern=r"\A(install|remove)\Z")]


class DeployCheckArgs(VerbArgs, frozen=True, kw_only=True):
    """What the client would deploy."""

    wheel: Sha256
    version: Short


class DeployCleanArgs(VerbArgs, frozen=True, kw_only=True):
    """Whether it is only told what would go."""

    dry_run: bool = True


class AuditArgs(VerbArgs, frozen=True, kw_only=True):
    """How many entries, the newest."""

    last: Annotated[int, Meta(ge=1, le=500)] = 100


A = TypeVar("A", bound=VerbArgs)
_PLACE = re.compile(r"(.*) - at `\$\.(.*)`", re.DOTALL)
_FIELD = re.compile(r"Object (?:contains unknown|missing required) field `(.*)`", re.DOTALL)


def read_args(kind: type[A], raw: Mapping[str, Any]) -> A:
    """The arguments as they came, checked; a null stands for the default.

    Raises:
        ProtocolError: one is missing, unknown or malformed; the message names it.
    """
    optional = {field.encode_name for field in msgspec.structs.fields(kind) if not field.required}
    given = {name: value for name, value in raw.items() if value is not None or name not in optional}
    try:
        return msgspec.convert(given, kind)
    except ValueError as error:
        raise ProtocolError(_named(str(error)), REMEDY, code="bad_request") from error


def _named(message: str) -> str:
    """What is wrong, with the name of the argument in front."""
    if found := _PLACE.fullmatch(message):
        return f"argument {found[2]!r}: {found[1]}"[:300]
    if found := _FIELD.fullmatch(message):
        word = "unknown" if "unknown" in message.partition("`")[0] else "missing"
        return f"{word} argument: {found[1]!r}"[:300]
    return message[:300]


def as_sent(args: VerbArgs) -> dict[str, Any]:
    """The arguments as they go over the wire: without those that have their defaults."""
    sent: dict[str, Any] = msgspec.to_builtins(args)
    return sent


def as_filled(args: VerbArgs) -> dict[str, Any]:
    """The arguments under the words of the wire, defaults filled in: what is kept of them."""
    names = zip(args.__struct_fields__, args.__struct_encode_fields__, strict=True)
    return {word: getattr(args, name) for name, word in names}
