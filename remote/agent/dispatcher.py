"""From request lines to answer lines: what may be answered, and what an exception means to the client."""

from collections.abc import Iterator
from types import GeneratorType
from typing import Any

from remote.agent.context import Context
from remote.agent.error_answers import as_call_error
from remote.agent.handlers import HANDLERS
from remote.agent.streams.streams import ClientStreams
from remote.agent.verb import Work
from remote.protocol.arguments import HelloArgs
from remote.protocol.errors import CallError, ProtocolError
from remote.protocol.messages import (
    LINE_LIMIT,
    PROTO,
    VERBS,
    Request,
    decode_request,
    encode_error,
    encode_result,
)
from trainer.run.run_errors import RunError


class Dispatcher:
    """Answers one client. Verbs that take their time wait here between two steps."""

    def __init__(self, ctx: Context, streaming: ClientStreams) -> None:
        self._ctx = ctx
        self._streaming = streaming
        self._their_proto: int | None = None
        self._works: list[tuple[Request | None, Work[Any]]] = []

    @property
    def is_working(self) -> bool:
        """Whether a verb waits for its next step."""
        return bool(self._works)

    @property
    def is_met(self) -> bool:
        """Whether a client of our protocol said hello."""
        return self._their_proto == PROTO[0]

    def add(self, work: Work[Any]) -> None:
        """Carry out something that nobody asked for, and whose answer nobody waits for."""
        self._works.append((None, work))

    def answer(self, line: bytes) -> tuple[str, bytes]:
        """The verb of a request line (empty if there is none) and its answer (empty: later)."""
        try:
            request = decode_request(line)
        except ProtocolError as error:
            return "", encode_error(error.request_id, error)
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

    def _done(self, request: Request, result: object) -> bytes:
        try:
            line = encode_result(request.id, result)
        except ValueError as error:  # a number or text that no reader of ours would take
            return self._refused(request, RunError(f"the answer cannot be told: {error}"))
        if len(line) > LINE_LIMIT:
            return self._refused(request, RunError(f"the answer has {len(line):,} bytes, more than a line"))
        self._ctx.audit.ended(request.verb, request.args)
        return line

    def _refused(self, request: Request, error: Exception) -> bytes:
        refusal = as_call_error(error)
        self._ctx.audit.ended(request.verb, request.args, refusal)
        return encode_error(request.id, refusal)

    def _carry_out(self, request: Request) -> object:
        """The verb's result; None where it takes its time."""
        if isinstance(request.args, HelloArgs):
            self._their_proto = request.args.proto[0] if request.args.proto else -1
            self._ctx.audit.who = request.args.client or "a client without a name"
        if (of_streams := self._streaming.verbs.get(request.verb)) is not None:
            return of_streams(request.args)
        self._ctx.audit.asked(request.verb, request.args, getattr(request.args, "by", ""))
        result = HANDLERS[request.verb](self._ctx, request.args)
        if isinstance(result, GeneratorType):
            self._works.append((request, result))
            return None
        return result

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
