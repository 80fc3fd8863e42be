"""The agent's protocol, for both ends: newline-delimited JSON, and raw bytes behind a header line.

    client -> agent   {"id":7,"verb":"start","args":{...}}
    agent -> client   {"id":7,"ok":true,"result":{...}}
                      {"id":7,"error":{"code":...,"message":...,"remedy":...,"detail":{}}}
                      {"event":"state","run":{...}}
                      {"event":"bytes","stream":1,"run":...,"what":"log","file":"003.log","gen":3,"off":0,"n":4,...}
                      and then n raw bytes

Whatever arrives is checked here and nowhere else: garbage raises `ProtocolError`, never anything else.
The verbs stand in `verbs`, what a host says of a run in `views`; both are re-exported.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from remote.protocol.arguments import REMEDY, VerbArgs, read_args
from remote.protocol.errors import EXIT_CODES, CallError, ProtocolError, known_code
from remote.protocol.results import as_answered
from remote.protocol.values import Cursor
from remote.protocol.verbs import VERBS, Verb
from remote.protocol.views import HostHello, LastCheckpoint, RunView, checked
from trainer.run.disk.json_tree import why_unfit

__all__ = [
    "EXIT_CODES", "VERBS", "BytesHeader", "CallError", "Cursor",
    "HostHello", "LastCheckpoint", "ProtocolError", "Pushed", "Reply",
    "Request", "RunView", "Verb", "decode_message", "decode_request",
    "encode", "encode_error", "encode_request", "encode_result",
]  # fmt: skip

PROTO = (1, 2)
LINE_LIMIT = 1 << 20
ANSWER_MAX = LINE_LIMIT - (1 << 14)
"""What the rows of one answer may take: the rest of the line is for what stands around them."""
DEPTH_LIMIT = 32
FRAME_LIMIT = 1 << 20
NUMBER_LIMIT = sys.float_info.max  # a larger whole number is no float any more; 1e999 reads as infinity
TEXT_MAX = 4096  # of an error's sentence
WINDOW = 1 << 20  # bytes of one stream that may be on their way without an `ack`
MAGIC = b'{"event":"agent","magic":"photinus-1"}\n'  # the reader skips what a login shell prints before it


@dataclass(frozen=True, slots=True)
class Request:
    """A checked request; `args` is the verb's own structure (`Verb.args`)."""

    id: int
    verb: str
    args: VerbArgs


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to request `id`: a result or an error. `id` is None where the agent could not read it."""

    id: int | None
    result: Mapping[str, Any] = field(default_factory=dict)
    error: CallError | None = None


@dataclass(frozen=True, slots=True)
class Pushed:
    """Something the agent said unasked."""

    event: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class BytesHeader:
    """What the next `n` raw bytes are: bytes [off, off+n) of generation `gen` of a file of a run.

    `at`: when that file was last written, by the host's clock; 0 where it is not said (before 1.1).
    """

    stream: int
    run: str
    what: str
    file: str
    gen: int
    off: int
    n: int
    ino: int = 0
    at: float = 0.0

    def encode(self) -> bytes:
        """The header line."""
        return encode({"event": "bytes", **asdict(self)})


def encode(message: Mapping[str, Any]) -> bytes:
    """One line. ASCII only, so that no byte of it can be a terminator of another encoding."""
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"


def encode_request(request_id: int, verb: str, args: Mapping[str, Any]) -> bytes:
    """A request line."""
    return encode({"id": request_id, "verb": verb, "args": args})


def encode_result(request_id: int, result: object) -> bytes:
    """An answer line; `result` is the verb's own structure (`Verb.result`)."""
    return encode({"id": request_id, "ok": True, "result": as_answered(result)})


def encode_error(request_id: int | None, error: CallError) -> bytes:
    """A refusal line."""
    body = {"code": error.code, "message": error.message[:TEXT_MAX], "remedy": error.remedy[:TEXT_MAX]}
    try:
        line = encode({"id": request_id, "error": {**body, "detail": error.detail}})
    except (TypeError, ValueError):
        line = b""
    if not 0 < len(line) <= LINE_LIMIT:
        line = encode({"id": request_id, "error": {**body, "detail": {}}})
    return line


def decode_request(line: bytes) -> Request:
    """Read one line from a client.

    Raises:
        ProtocolError: with `request_id` where it could be read, and the code.
    """
    try:
        raw = decode_object(line)
    except ProtocolError as error:
        raise _malformed(error.message) from error
    request_id = raw.get("id")
    if not isinstance(request_id, int) or isinstance(request_id, bool) or not 0 <= request_id < 1 << 53:
        raise _malformed("a request needs a whole number as its id")
    verb_name, args = raw.get("verb"), raw.get("args", {})
    verb = VERBS.get(verb_name) if isinstance(verb_name, str) else None
    if verb is None:
        raise ProtocolError(
            f"unknown verb {str(verb_name)[:60]!r}",
            "update the host's photinus",
            code="unknown_verb",
            request_id=request_id,
        )
    if not isinstance(args, dict):
        raise _malformed("args must be an object", request_id)
    try:
        return Request(request_id, verb.name, read_args(verb.args, args))
    except ProtocolError as error:
        raise _malformed(f"{verb.name}: {error.message}", request_id) from error


def _malformed(message: str, request_id: int | None = None) -> ProtocolError:
    return ProtocolError(message, REMEDY, code="bad_request", request_id=request_id)


def decode_message(line: bytes) -> Reply | Pushed | BytesHeader:
    """Read one line from an agent.

    Raises:
        ProtocolError: it is no message of ours.
    """
    raw = decode_object(line)
    if "event" in raw:
        event = checked(raw, "event", (str,))
        return _bytes_header(raw) if event == "bytes" else Pushed(event, raw)
    request_id = checked(raw, "id", (int, type(None)))
    if "error" in raw:
        return Reply(request_id, error=_call_error(raw["error"]))
    if raw.get("ok") is not True or not isinstance(raw.get("result"), dict):
        raise ProtocolError("an answer without a result")
    return Reply(request_id, result=raw["result"])


def decode_object(line: bytes) -> dict[str, Any]:
    """JSON of one line, within the limits of size and depth, finite numbers and whole characters only.

    Raises:
        ProtocolError: otherwise.
    """
    if len(line) > LINE_LIMIT:
        raise ProtocolError(f"a line longer than {LINE_LIMIT} bytes")
    try:
        raw = json.loads(line.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"not a line of JSON: {str(error)[:120]}") from error
    if not isinstance(raw, dict):
        raise ProtocolError("a message must be an object")
    if why := why_unfit(raw, depth=DEPTH_LIMIT, largest=NUMBER_LIMIT):
        raise ProtocolError(why)
    return raw


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _bytes_header(raw: Mapping[str, Any]) -> BytesHeader:
    raw = {"ino": 0, "at": 0.0, **raw}
    numbers = {name: checked(raw, name, (int,)) for name in ("stream", "gen", "off", "n", "ino")}
    if any(not 0 <= value < 1 << 64 for value in numbers.values()) or numbers["n"] > FRAME_LIMIT:
        raise ProtocolError("a byte frame's numbers are out of range")
    texts = {name: checked(raw, name, (str,)) for name in ("run", "what", "file")}
    return BytesHeader(**numbers, **texts, at=max(0.0, checked(raw, "at", (float,))))


def _call_error(raw: object) -> CallError:
    if not isinstance(raw, dict):
        raise ProtocolError("an error must be an object")
    code, message = checked(raw, "code", (str,)), checked(raw, "message", (str,))
    remedy, detail = raw.get("remedy", ""), raw.get("detail", {})
    if not isinstance(remedy, str) or not isinstance(detail, dict):
        raise ProtocolError("an error's remedy must be text and its detail an object")
    return CallError(known_code(code), message, remedy, detail)
