"""The table of verbs: what each takes. Adding a verb is one entry here and one handler in the agent."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from remote.protocol.errors import ProtocolError

Kind = Literal["text", "int", "number", "flag", "object", "ints"]

RUN_NAME = r"[a-z0-9][a-z0-9._-]{0,95}"
TICKET = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
CHECKPOINT = r"([A-Za-z0-9][A-Za-z0-9._-]{0,95})?"


@dataclass(frozen=True, slots=True)
class Arg:
    """One argument of a verb: its kind, its bounds, and its value where it is left out."""

    kind: Kind
    required: bool = True
    default: Any = None
    pattern: str = ""
    low: float = 0
    high: float = float(1 << 53)
    longest: int = 4096

    def check(self, name: str, value: object) -> None:
        """Refuse what does not fit.

        Raises:
            ProtocolError: naming the argument and what it must be.
        """
        if value is None and not self.required:
            return
        if not _FITS[self.kind](value):
            raise ProtocolError(f"argument {name!r} must be of kind {self.kind}")
        if isinstance(value, str):
            self._check_text(name, value)
        elif self.kind in ("int", "number") and not self.low <= float(value) <= self.high:  # type: ignore[arg-type]
            raise ProtocolError(f"argument {name!r} must lie between {self.low:g} and {self.high:g}")

    def _check_text(self, name: str, value: str) -> None:
        if len(value) > self.longest:
            raise ProtocolError(f"argument {name!r} is longer than {self.longest} characters")
        if self.pattern and not re.fullmatch(self.pattern, value):
            raise ProtocolError(f"argument {name!r} must match {self.pattern}")


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= 1 << 53


_FITS: Mapping[Kind, Callable[[object], bool]] = {
    "text": lambda value: isinstance(value, str),
    "int": _is_int,
    "number": lambda value: _is_int(value) or isinstance(value, float),
    "flag": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "ints": lambda value: isinstance(value, list) and len(value) <= 16 and all(map(_is_int, value)),
}


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb's arguments.

    Attributes:
        acts: changes something on the host; refused by a client that may only look. Every verb says which.
        always: answered to a client of another major version too: an old run must always be stoppable.
        repeatable: safe to send again after a lost answer (reads, and acts that carry their own id).
    """

    args: Mapping[str, Arg] = field(default_factory=dict)
    acts: bool = field(kw_only=True)
    always: bool = False
    repeatable: bool = True

    def fill(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """Check the arguments and add the defaults.

        Raises:
            ProtocolError: one is missing, unknown or malformed.
        """
        if unknown := sorted(set(args) - set(self.args)):
            raise ProtocolError(f"unknown argument: {', '.join(map(repr, unknown))}"[:300])
        if missing := [name for name, arg in self.args.items() if arg.required and name not in args]:
            raise ProtocolError(f"missing argument: {', '.join(missing)}")
        for name, value in args.items():
            self.args[name].check(name, value)
        return {name: args.get(name, arg.default) for name, arg in self.args.items()}


_RUN = Arg("text", pattern=RUN_NAME)
_TICKET = Arg("text", pattern=TICKET)
_BY = Arg("text", required=False, default="", longest=200)
_FOLLOW = {
    "cursor": Arg("object", required=False),
    "last": Arg("int", required=False, default=262144),
    "follow": Arg("flag", required=False, default=True),
    "skip": Arg("flag", required=False, default=False),
}
_TAIL = {"run_id": _RUN, **_FOLLOW}

_SEED = {
    "origin": Arg("text", pattern=RUN_NAME),
    "name": Arg("text", pattern="step-[0-9]{8,16}"),
    "sha256": Arg("text", pattern="[0-9a-f]{64}"),
    "run_id": Arg("text", required=False, default="", pattern=f"({RUN_NAME})?"),
}

VERBS: Mapping[str, Verb] = {
    "hello": Verb(
        {"proto": Arg("ints"), "version": Arg("text", longest=64), "client": Arg("text", longest=200)},
        acts=False,
        always=True,
    ),
    "ping": Verb({"n": Arg("int")}, acts=False, always=True, repeatable=False),
    "status": Verb(acts=False, always=True),
    "runs": Verb(acts=False),
    "run": Verb({"run_id": _RUN}, acts=False),
    "start": Verb(
        {"start_id": _TICKET, "spec": Arg("object"), "queue": Arg("flag", required=False, default=False)},
        acts=True,
    ),
    "resume": Verb(
        {
            "start_id": _TICKET,
            "run_id": _RUN,
            "from": Arg("text", required=False, default="", pattern=CHECKPOINT),
            "queue": Arg("flag", required=False, default=False),
            "set": Arg("object", required=False),
            "by": _BY,
        },
        acts=True,
    ),
    "stop": Verb(
        {
            "run_id": _RUN,
            "req_id": _TICKET,
            "by": _BY,
            "deadline_s": Arg("number", required=False, high=86400.0),
            "again": Arg("flag", required=False, default=False),
            "signal": Arg("text", required=False, default="", pattern="(SIG[A-Z0-9]{1,8})?"),
        },
        acts=True,
        always=True,
    ),
    "kill": Verb({"run_id": _RUN, "req_id": _TICKET, "by": _BY}, acts=True, always=True),
    "adopt": Verb({"run_id": _RUN}, acts=True),
    "tail": Verb(_TAIL, acts=False, repeatable=False),
    "events": Verb(_TAIL, acts=False, repeatable=False),
    "watch": Verb({"path": Arg("text"), **_FOLLOW}, acts=False, repeatable=False),
    "older": Verb(
        {
            "what": Arg("text", pattern="log|events|watch"),
            "run_id": Arg("text", required=False, default="", pattern=f"({RUN_NAME})?"),
            "path": Arg("text", required=False, default=""),
            "file": Arg("text", longest=255),
            "before": Arg("int"),
            "n": Arg("int", required=False, default=262144, low=1, high=524288),
        },
        acts=False,
    ),
    "untail": Verb({"stream": Arg("int")}, acts=False, repeatable=False),
    "ack": Verb({"stream": Arg("int"), "off": Arg("int")}, acts=False, repeatable=False),
    "processes": Verb(acts=False),
    "reap": Verb(
        {"run_id": _RUN, "pid": Arg("int", low=2), "start": Arg("int")}, acts=True, repeatable=False
    ),
    "beside": Verb({"device": Arg("text", longest=200)}, acts=False),
    "end": Verb({"pid": Arg("int", low=2), "start": Arg("int"), "by": _BY}, acts=True, repeatable=False),
    "telemetry": Verb(acts=False),
    "seed": Verb({**_SEED, "bytes": Arg("int")}, acts=True),
    "admit": Verb(_SEED, acts=True),
    "checkpoints": Verb({"run_id": _RUN, "before": Arg("int", required=False)}, acts=False),
    "doctor": Verb({"deep": Arg("flag", required=False, default=False)}, acts=False),
    "autostart": Verb({"action": Arg("text", pattern="install|remove")}, acts=True),
    "deploy-check": Verb(
        {"wheel": Arg("text", pattern=r"[0-9a-f]{64}"), "version": Arg("text", longest=64)}, acts=False
    ),
    "deploy-clean": Verb({"dry_run": Arg("flag", required=False, default=True)}, acts=True),
    "audit": Verb({"last": Arg("int", required=False, default=100, low=1, high=500)}, acts=False),
}


def acts(verb: str) -> bool:
    """Whether a verb changes something on the host; a verb that we do not know may."""
    return verb not in VERBS or VERBS[verb].acts
