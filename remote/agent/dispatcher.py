"""From request lines to answer lines: what may be answered, and what an exception means to the client."""

import errno
from collections.abc import Iterator
from types import GeneratorType

from remote.agent.context import Context, Result, Work
from remote.agent.handlers import HANDLERS
from remote.agent.streams.streams import ClientStreams
from remote.protocol.errors import CallError, ProtocolError
from remote.protocol.messages import PROTO, VERBS, Request, decode_request, encode_error, encode_result
from trainer.run.run_errors import HomeError, LockHeldError, RunError, SpecError

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


class Dispatcher:
    """Answers one client. Verbs that take their time wait here between two steps."""

    def __init__(self, ctx: Context, streaming: ClientStreams) -> None:
        self._ctx = ctx
        self._streaming = streaming
        self._their_proto: int | None = None
        self._works: list[tuple[Request | None, Work]] = []

    @property
    def is_working(self) -> bool:
        """Whether a verb waits for its next step."""
        return bool(self._works)

    @property
    def is_met(self) -> bool:
        """Whether a client of our protocol said hello."""
        return self._their_proto == PROTO[0]

    def add(self, work: Work) -> None:
        """Carry out something that nobody asked for, and whose answer nobody waits for."""
        self._works.append((None, work))

    def answer(self, line: bytes) -> tuple[str, bytes]:
        """The verb of a request line (empty if there is none) and its answer (empty: later)."""
        try:
            request = decode_request(line)
        except ProtocolError as error:
            remedy = "update the host's photinus" if error.code == "unknown_verb" else ""
            return "", encode_error(error.request_id, CallError(error.code, str(error), remedy))
        try:
            self._demand_protocol(request)
            result = self._carry_out(request)
        except Exception as error:  # whatever it is, the client gets its answer and the agent lives on
            return request.verb, self._refused(request, error)
        if result is None:
            return request.verb, b""
        return request.verb, self._done(request, result)

    def step(self) -> Iterator[bytes]:
        """Let every waiting verb take a step; the answers of those that are done."""
        waiting, self._works = self._works, []
        for request, work in waiting:
            try:
                next(work)
            except StopIteration as done:
                if request is not None:
                    yield self._done(request, done.value)
            except Exception as error:  # as above
                if request is not None:
                    yield self._refused(request, error)
            else:
                self._works.append((request, work))

    def _done(self, request: Request, result: Result) -> bytes:
        self._ctx.audit.ended(request.verb, request.args)
        return encode_result(request.id, result)

    def _refused(self, request: Request, error: Exception) -> bytes:
        told = as_call_error(error)
        self._ctx.audit.ended(request.verb, request.args, told)
        return encode_error(request.id, told)

    def _carry_out(self, request: Request) -> Result | None:
        if request.verb == "hello":
            self._their_proto = request.args["proto"][0] if request.args["proto"] else -1
            self._ctx.audit.who = request.args["client"] or "a client without a name"
        if request.verb in ("tail", "events", "watch"):
            what = "log" if request.verb == "tail" else request.verb
            return self._streaming.open(what, request.args)
        if request.verb == "older":
            return self._streaming.older(request.args)
        if request.verb == "untail":
            return self._streaming.close(request.args)
        if request.verb == "ack":
            return self._streaming.acknowledge(request.args)
        self._ctx.audit.asked(request.verb, request.args, request.args.get("by", ""))
        result = HANDLERS[request.verb](self._ctx, request.args)
        if isinstance(result, GeneratorType):
            self._works.append((request, result))
            return None
        return result  # type: ignore[return-value]

    def _demand_protocol(self, request: Request) -> None:
        if VERBS[request.verb].always or self.is_met:
            return
        theirs = "no version" if self._their_proto is None else f"version {self._their_proto}"
        raise CallError(
            "incompatible",
            f"this agent speaks protocol {PROTO[0]}.{PROTO[1]} and you said {theirs}: "
            "only status, stop and kill are answered",
            "say hello first, or update the older of the two",
            {"proto": list(PROTO)},
        )


def as_call_error(error: Exception) -> CallError:
    """What the client is told of an exception. What nobody foresaw names its type: it is our fault."""
    if isinstance(error, CallError):
        return error
    if isinstance(error, (SpecError, ProtocolError)):
        return CallError("bad_request", str(error))
    if isinstance(error, HomeError):
        return CallError("refused", str(error))
    if isinstance(error, LockHeldError):
        return CallError("timeout", str(error), "try again")
    if isinstance(error, RunError):
        return CallError("internal", str(error), "photinus doctor")
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        return CallError("disk_low", f"the host's disk is full: {error}", "free some space and try again")
    return CallError("internal", f"{type(error).__name__}: {error}", "please report this")
