"""The verbs `tail`, `events`, `untail` and `ack`, and the streams of one client."""

import itertools
from collections.abc import Iterator

from remote.agent.context import Context, Result
from remote.agent.tails import Source, Tail, first_cursor
from remote.errors import CallError
from remote.protocol import Cursor, encode
from trainer.run.errors import RunError

POLL_S = 0.02
STREAMS_MAX = 64
THOROUGH_EACH = 5


class Streaming:
    """Every stream of this client. Polled each 20 ms while somebody watches."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._numbers = itertools.count(1)
        self._tails: dict[int, Tail] = {}
        self._turn = 0

    def __len__(self) -> int:
        return len(self._tails)

    def open(self, what: str, args: Result) -> Result:
        """Open a stream; its bytes come after this answer.

        Raises:
            CallError: `not_found`, or `refused`: too many streams.
        """
        run = self._ctx.run(args["run_id"])
        if len(self._tails) >= STREAMS_MAX:
            raise CallError("refused", f"{STREAMS_MAX} streams are open already", "close one")
        source = Source(run, what)
        raw = args["cursor"]
        cursor = first_cursor(source, args["last"]) if raw is None else Cursor.from_json(raw)
        tail = Tail(next(self._numbers), source, cursor, follow=args["follow"])
        self._tails[tail.number] = tail
        return {"stream": tail.number, "cursor": tail.cursor.to_json()}

    def close(self, args: Result) -> Result:
        """Close a stream; one that is not open is closed already."""
        if tail := self._tails.pop(args["stream"], None):
            tail.close()
        return {}

    def acknowledge(self, args: Result) -> Result:
        """The client has read `off` bytes of a stream, counted from its opening."""
        if tail := self._tails.get(args["stream"]):
            tail.acknowledge(args["off"])
        return {}

    def poll(self) -> Iterator[bytes]:
        """What to send now."""
        self._turn += 1
        for tail in list(self._tails.values()):
            is_thorough = self._turn % THOROUGH_EACH == 0
            yield from tail.poll(lambda tail=tail: self._is_over(tail), is_thorough=is_thorough)  # type: ignore[misc]
            if tail.is_done:
                self.close({"stream": tail.number})
                yield encode({"event": "eof", "stream": tail.number, "run": tail.source.run.run_id})

    def _is_over(self, tail: Tail) -> bool:
        try:
            state = self._ctx.views.state(tail.source.run)
        except RunError:
            return False
        return state is None or state.is_terminal
