"""What to run: `spec.json`, written once when a start is taken and never changed."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from trainer.run.bounds import COUNT_MAX, why_misfit
from trainer.run.layout import check_devices, check_run_id
from trainer.run.run_errors import SpecError

SPEC_VERSION = 1
PROCESSES_MAX = 1 << 16
ENV_HASH = re.compile(r"[A-Za-z0-9]{1,64}")
Kind = Literal["trainer", "command"]
RestartPolicy = Literal["never", "on-failure", "always"]
DECAY_S = 3600.0
RESTARTS_MAX = 1000
SECONDS_MAX = 1e7
# Not SIGUSR1 (NCCL uses it), not SIGKILL (that is no graceful stop).
STOP_SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR2")
MAPPINGS = ("config", "origins", "env", "restart", "code")
CODE_HASH = re.compile(r"[0-9a-f]{64}")
LATER = ("on_end", "limit_s", "code")
LISTS = ("argv", "resume_argv", "on_end")


@dataclass(frozen=True, slots=True)
class Restart:
    """What the supervisor does when an attempt fails. A failure before the first new step counts double.

    Attributes:
        max: how many failures it bears, 1 forgotten for each `decay_s` that an attempt went well.
        backoff_s: before the first restart; doubled with each failure that counts.
        on_stall: after how many seconds without a sign of life an attempt counts as failed. None: a command's
            never; of our trainer after ten usual steps, and 10 minutes at least. 0: never.
    """

    policy: RestartPolicy = "never"
    max: int = 3
    backoff_s: float = 5.0
    decay_s: float = DECAY_S
    on_stall: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values; what an older host does not know is left out where it says nothing."""
        raw = asdict(self)
        later = {"decay_s": DECAY_S, "on_stall": None}
        return {key: value for key, value in raw.items() if key not in later or value != later[key]}

    def check(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            SpecError: naming the field.
        """
        if self.policy not in ("never", "on-failure", "always"):
            raise SpecError(f"restart must be never, on-failure or always, not {self.policy!r}")
        most: object = self.max
        if not isinstance(most, int) or not 0 <= most <= RESTARTS_MAX:
            raise SpecError(f"restart.max must be a whole number up to {RESTARTS_MAX}, not {self.max!r}")
        for name, low in (("backoff_s", 0.0), ("decay_s", 1.0), ("on_stall", 0.0)):
            value = getattr(self, name)
            if value is None and name == "on_stall":
                continue
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not is_number or not low <= value <= SECONDS_MAX:
                raise SpecError(f"restart.{name} must lie from {low:g} to {SECONDS_MAX:g} s, not {value!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """A run, as asked for.

    Attributes:
        config: the resolved configuration of our trainer (kind `trainer`), as plain values.
        origins: dotted key -> where its value came from (`default`, `preset NAME`, `--set`).
        argv, resume_argv: the user's command (kind `command`); without `resume_argv` it cannot be resumed.
        env: added to the environment; stored in this 0600 file, never in argv or a log.
        device: what is locked: `cpu`, `mps`, `cuda-0`, or several: `cuda-0,cuda-1`; `shared_device` takes no
            device lock.
        env_hash: the deployed environment that it is started in; filled in by the host's agent.
        caffeinate: on macOS, keep the machine awake while the run is going on.
        stop_signal: what a graceful stop sends to a command's process.
        limit_s: seconds after which an attempt is asked to stop; 0: never.
        on_end: a command that the supervisor calls when the run is over, whatever became of it.
        code: of code that was shipped with it: `sha256` of its tree, `commit`, `diff` from there (without
            secrets), `folder`, `files`, `bytes`; `cwd` is then a path below it.
        parent: `RUN_ID/step-NNN` when branched from another run's checkpoint.
    """

    run_id: str
    name: str
    kind: Kind
    device: str
    cwd: str = ""
    preset: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
    argv: tuple[str, ...] = ()
    resume_argv: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    umask: int = -1
    shared_device: bool = False
    stop_signal: str = "SIGTERM"
    restart: Restart = Restart()
    env_hash: str = ""
    caffeinate: bool = True
    parent: str = ""
    created: float = 0.0
    by: str = ""
    on_end: tuple[str, ...] = ()
    limit_s: float = 0.0
    code: Mapping[str, Any] = field(default_factory=dict)
    version: int = SPEC_VERSION

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices that this run locks."""
        return () if self.shared_device else self.named_devices

    @property
    def named_devices(self) -> tuple[str, ...]:
        """The devices that this run uses, locked or not."""
        return tuple(self.device.split(","))

    @property
    def processes(self) -> int:
        """Processes of our trainer that share each batch: as configured, else one a device."""
        parallel = self.config.get("parallel", {}) if self.kind == "trainer" else {"processes": 1}
        asked = parallel.get("processes", 0) if isinstance(parallel, Mapping) else 0
        return asked if isinstance(asked, int) and 0 < asked <= PROCESSES_MAX else len(self.named_devices)

    @property
    def max_steps(self) -> int:
        """Planned steps of our trainer; 0 where unknown (a command)."""
        steps = self.config.get("steps", 0)
        return steps if isinstance(steps, int) and 0 <= steps <= COUNT_MAX else 0

    def to_json(self) -> dict[str, Any]:
        """Plain values for `spec.json` and for the wire; what an older host does not know only where it says
        something."""
        raw = asdict(self) | {"restart": self.restart.to_json()}
        return {key: value for key, value in raw.items() if key not in LATER or value}

    @classmethod
    def from_json(cls, raw: object) -> "RunSpec":
        """Check and freeze what came from disk or the wire.

        Raises:
            SpecError: a field is missing, unknown or of the wrong kind; the message names it.
        """
        if not isinstance(raw, dict):
            raise SpecError("a run's spec must be a JSON object")
        values = dict(raw)
        known = set(cls.__dataclass_fields__)
        if unknown := sorted(set(values) - known):
            raise SpecError(
                f"unknown field in the spec: {', '.join(unknown)} (is the host's photinus older?)"
            )
        if why := _why_malformed(values):
            raise SpecError(f"malformed spec: {why}")
        try:
            values["restart"] = Restart(**values.get("restart", {}))
            values["argv"] = tuple(values.get("argv", ()))
            values["resume_argv"] = tuple(values.get("resume_argv", ()))
            values["on_end"] = tuple(values.get("on_end", ()))
            spec = cls(**values)
        except TypeError as error:
            raise SpecError(f"malformed spec: {error}") from error
        spec._check()
        return spec

    def _check(self) -> None:
        if not 1 <= self.version <= SPEC_VERSION:
            raise SpecError(f"a spec of version {self.version}: update photinus here to read it")
        if self.kind not in ("trainer", "command"):
            raise SpecError(f"spec kind must be 'trainer' or 'command', not {self.kind!r}")
        if self.kind == "command" and not self.argv:
            raise SpecError("a command run needs an argv: photinus start --command -- PROGRAM [ARG ...]")
        if self.kind == "trainer" and not self.config:
            raise SpecError("a trainer run needs a configuration: photinus start --preset NAME")
        self.restart.check()
        if not 0 <= self.limit_s <= SECONDS_MAX:
            raise SpecError(f"limit_s must lie from 0 to {SECONDS_MAX:g} s, not {self.limit_s!r}")
        if self.stop_signal not in STOP_SIGNALS:
            raise SpecError(f"stop signal must be one of {', '.join(STOP_SIGNALS)}, not {self.stop_signal!r}")
        if self.env_hash and not ENV_HASH.fullmatch(self.env_hash):
            raise SpecError(f"not the hash of an environment: {self.env_hash!r}")
        if self.code:
            self._check_code()
        check_run_id(self.run_id)
        check_devices(self.device)
        self._check_words()

    def _check_code(self) -> None:
        if self.kind != "command":
            raise SpecError("only a command has code shipped with it: our trainer is deployed")
        digest = self.code.get("sha256")
        if not isinstance(digest, str) or not CODE_HASH.fullmatch(digest):
            raise SpecError(f"not the hash of a tree of code: {digest!r}")
        if self.cwd.startswith(("/", "~")) or ".." in self.cwd.split("/"):
            raise SpecError(f"with shipped code --cwd is a folder in it, not {self.cwd!r}")

    def _check_words(self) -> None:
        words: list[object] = [*self.argv, *self.resume_argv, *self.on_end]
        if any(not isinstance(word, str) or "\0" in word for word in words):
            raise SpecError("argv must be texts without NUL")
        check_environment(self.env)


def check_environment(env: Mapping[str, str]) -> Mapping[str, str]:
    """Return `env` if a process can have it.

    Raises:
        SpecError: a name or a value cannot be.
    """
    pairs: list[tuple[object, object]] = [*env.items()]
    for name, value in pairs:
        if not isinstance(name, str) or not isinstance(value, str) or "\0" in name + value:
            raise SpecError("environment values must be texts without NUL")
        if not name or "=" in name:
            raise SpecError(f"not a name of an environment variable: {name!r}")
    return env


def _why_malformed(values: Mapping[str, Any]) -> str:
    """Which field has the wrong kind or an absurd value; empty where none has."""
    for name in MAPPINGS:
        if not isinstance(values.get(name, {}), Mapping):
            return f"{name} must be an object"
    for name in LISTS:
        if not isinstance(values.get(name, ()), list | tuple):
            return f"{name} must be a list"
    restart = values.get("restart", {})
    if why := why_misfit(Restart, {name: restart[name] for name in ("max", "backoff_s") if name in restart}):
        return f"of restart, {why}"
    return why_misfit(RunSpec, {name: value for name, value in values.items() if name != "kind"})
