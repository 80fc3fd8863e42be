"""Requests to a run and the answers to them: files, so that they survive every process."""

import os
import time
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Literal

from trainer.run.disk.atomic import read_json, write_json
from trainer.run.layout import RunDir, check_short_id
from trainer.run.records import parse
from trainer.run.run_errors import RunError, SpecError
from trainer.run.spec import STOP_SIGNALS

Verb = Literal["stop", "kill", "save", "signal"]
VERBS = ("stop", "kill", "save", "signal")
# Not what ends or freezes a process without its own word: a stop, a kill and a pause have verbs of their own.
SIGNALS = ("SIGUSR1", "SIGUSR2", "SIGHUP", "SIGINT", "SIGWINCH", "SIGCONT")
ACK_SUFFIX = ".ack.json"
REQUEST_SUFFIX = ".json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlRequest:
    """What an operator wants of one attempt.

    Attributes:
        by: who asked, as shown to a second operator.
        verb: `save` is the trainer's business; `signal` sends one to its process and ends nothing.
        again: send the stop signal, though it was sent before.
        signal: send this one instead of the run's own; "" for that.
        deadline_s: a stop becomes a kill this many seconds after it was asked; None: never by itself.
    """

    req_id: str
    verb: Verb
    attempt: int
    token: str
    by: str = ""
    at: float = 0.0
    deadline_s: float | None = None
    again: bool = False
    signal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """The answer to a stop or a save: the checkpoint proven on disk, or None before the first step."""

    req_id: str
    attempt: int
    token: str
    step: int
    checkpoint: str | None = None
    sha256: str | None = None
    at: float = 0.0


def put_request(run: RunDir, request: ControlRequest) -> bool:
    """Leave a request; False if this request id was known, which then stands as it is.

    Raises:
        SpecError: a request id that must not become part of a path, or an unknown verb.
    """
    path = run.control / f"{check_short_id(request.req_id, 'request id')}{REQUEST_SUFFIX}"
    if request.verb not in VERBS:
        raise SpecError(f"unknown request {request.verb!r} (one of {', '.join(VERBS)})")
    if path.exists():
        return False
    write_json(path, asdict(request) | {"at": request.at or time.time()})
    return True


def pending(run: RunDir, attempt: int, token: str) -> list[ControlRequest]:
    """The unanswered requests to this attempt, oldest first."""
    return pending_for(run, {(attempt, token)})


def pending_for(run: RunDir, lives: Collection[tuple[int, str]]) -> list[ControlRequest]:
    """The unanswered requests to any of these (attempt, token) pairs, oldest first. Others are ignored."""
    try:
        names = {entry.name for entry in os.scandir(run.control)}
    except (FileNotFoundError, NotADirectoryError):
        return []
    found = []
    for name in names:
        stem = name.removesuffix(REQUEST_SUFFIX)
        if name.startswith(".") or name.endswith(ACK_SUFFIX) or stem == name or stem + ACK_SUFFIX in names:
            continue
        request = _read_request(run, name)
        if request and (request.attempt, request.token) in lives:
            found.append(request)
    return sorted(found, key=lambda request: (request.at, request.req_id))


def put_ack(run: RunDir, ack: Ack) -> None:
    """Answer a request."""
    write_json(run.control / f"{check_short_id(ack.req_id, 'request id')}{ACK_SUFFIX}", asdict(ack))


def read_ack(run: RunDir, req_id: str) -> Ack | None:
    """The answer to a request, or None while there is none."""
    path = run.control / f"{check_short_id(req_id, 'request id')}{ACK_SUFFIX}"
    raw = read_json(path)
    return None if raw is None else parse(Ack, raw, path)


def _read_request(run: RunDir, name: str) -> ControlRequest | None:
    """One request; a foreign or malformed file is nobody's request, and must end no supervisor."""
    path = run.control / name
    try:
        request = parse(ControlRequest, read_json(path), path)
    except RunError:
        return None
    is_known = request.verb in VERBS and request.signal in ("", *STOP_SIGNALS, *SIGNALS)
    return request if is_known else None
