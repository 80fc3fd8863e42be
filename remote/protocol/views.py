"""What an agent says of a run and of itself, parsed once at the edge into frozen values."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from remote.protocol.errors import ProtocolError
from remote.protocol.sanitise import clean_line
from trainer.run.states import TERMINAL


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
    at: float

    @classmethod
    def from_json(cls, raw: object) -> "LastCheckpoint | None":
        """Parse, None staying None.

        Raises:
            ProtocolError: malformed.
        """
        if raw is None:
            return None
        if not isinstance(raw, dict):
            raise ProtocolError("a checkpoint must be an object")
        return cls(
            step=checked(raw, "step", (int,)),
            name=checked(raw, "name", (str,)),
            sha256=checked(raw, "sha256", (str,)),
            at=checked(raw, "at", (float,)),
        )


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
    since: float
    created: float
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

    @property
    def is_terminal(self) -> bool:
        """Whether this run is over."""
        return self.state in TERMINAL

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
        if not isinstance(raw, dict):
            raise ProtocolError("a run must be an object")
        values = {name: checked({"by": "", **raw}, name, kinds) for name, kinds in _KINDS.items()}
        return cls(last_checkpoint=LastCheckpoint.from_json(raw.get("last_checkpoint")), **values)


_OPTIONAL_INTS = frozenset({"code", "signal", "pid", "supervisor_pid"})
_INTS = frozenset({"seq", "attempt", "max_steps"})
_FLOATS = frozenset({"since", "created"})


def _kinds_of(name: str) -> tuple[type, ...]:
    if name in _OPTIONAL_INTS:
        return (int, type(None))
    if name in _INTS:
        return (int,)
    if name in _FLOATS:
        return (float,)
    return (bool,) if name == "resumable" else (str,)


_KINDS = {field.name: _kinds_of(field.name) for field in fields(RunView) if field.name != "last_checkpoint"}


@dataclass(frozen=True, slots=True, kw_only=True)
class HostHello:
    """An agent's first answer. `agent_epoch` is new with every agent process, `boot_id` with every boot.

    `wheel_sha256` and `env` are of a deployed environment; empty where the agent runs from something else.
    """

    proto: tuple[int, ...]
    version: str
    host_id: str
    boot_id: str
    agent_epoch: str
    wall: float
    pid: int
    platform: str
    python: str
    devices: tuple[str, ...]
    wheel_sha256: str = ""
    env: str = ""

    @classmethod
    def from_json(cls, raw: object) -> "HostHello":
        """Check and freeze.

        Raises:
            ProtocolError: malformed.
        """
        if not isinstance(raw, dict):
            raise ProtocolError("hello must be an object")
        proto, devices = checked(raw, "proto", (list,)), checked(raw, "devices", (list,))
        if not proto or any(not isinstance(part, int) or isinstance(part, bool) for part in proto):
            raise ProtocolError("hello names no protocol version")
        texts = ("version", "host_id", "boot_id", "agent_epoch", "platform", "python", "wheel_sha256", "env")
        return cls(
            proto=tuple(proto),
            devices=tuple(clean_line(str(name)) for name in devices),
            wall=checked(raw, "wall", (float,)),
            pid=checked(raw, "pid", (int,)),
            **{name: checked({"wheel_sha256": "", "env": "", **raw}, name, (str,)) for name in texts},
        )
