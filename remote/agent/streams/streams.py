"""The verbs `tail`, `events`, `watch`, `older`, `untail` and `ack`, and the streams of one client."""

import base64
import itertools
from collections.abc import Iterator
from pathlib import Path

from remote.agent.context import Context, Result
from remote.agent.streams.source import FollowedFiles, StreamSource, WatchedFile, first_cursor, read_before
from remote.agent.streams.tail import Tail
from remote.protocol.errors import CallError
from remote.protocol.messages import Cursor, encode
from trainer.run.run_errors import RunError

POLL_S = 0.02
STREAMS_MAX = 64
THOROUGH_EACH = 5


class ClientStreams:
    """Every stream of this client. Polled each 20 ms while somebody watches."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._numbers = itertools.count(1)
        self._tails: dict[int, Tail] = {}
        self._turn = 0

    def __len__(self) -> int:
        return len(self._tails)

    def open(self, what: str, args: Result) -> Result:
        """Open a stream; its bytes come after this answer. `what` is `log`, `events` or `watch`.

        Raises:
            CallError: `not_found`, or `refused`: too many streams, or a file that cannot be read.
        """
        if len(self._tails) >= STREAMS_MAX:
            raise CallError("refused", f"{STREAMS_MAX} streams are open already", "close one")
        source = self._source(what, args)
        raw = args["cursor"]
        try:
            if what == "watch" and not args["follow"] and not source.files():
                raise FileNotFoundError(args["path"])
            cursor = first_cursor(source, args["last"]) if raw is None else Cursor.from_json(raw)
            number = next(self._numbers)
            tail = Tail(number, source, cursor, follow=args["follow"], skip=args["skip"])
        except OSError as error:
            raise _unreadable(error) from error
        self._tails[tail.number] = tail
        return {"stream": tail.number, "cursor": tail.cursor.to_json(), "behind": tail.behind()}

    def older(self, args: Result) -> Result:
        """Bytes that stand before a place, for whoever scrolls back.

        Raises:
            CallError: `not_found`, or `refused`.
        """
        source = self._source(args["what"], args)
        try:
            piece = read_before(source, args["file"], args["before"], args["n"])
        except OSError as error:
            raise _unreadable(error) from error
        data = base64.b64encode(piece.data).decode("ascii")
        return {"file": piece.file, "offset": piece.offset, "data": data, "is_first": piece.is_first}

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
            reason = ""
            is_thorough = self._turn % THOROUGH_EACH == 0
            try:
                yield from tail.poll(lambda tail=tail: self._is_over(tail), is_thorough=is_thorough)  # type: ignore[misc]
            except OSError as error:  # one file that cannot be read any more must not end the others
                reason = _unreadable(error).message
            if tail.is_done or reason:
                self.close({"stream": tail.number})
                ended = {"event": "eof", "stream": tail.number, "run": tail.source.run_id}
                yield encode({**ended, "reason": reason} if reason else ended)

    def _source(self, what: str, args: Result) -> FollowedFiles:
        if what != "watch":
            return StreamSource(self._ctx.run(args["run_id"]), what)
        path = Path(args["path"])
        if "\0" in args["path"] or not path.expanduser().is_absolute():
            raise CallError("bad_request", f"{args['path'][:200]!r} is no absolute path", "begin it with /")
        return WatchedFile(path.expanduser())

    def _is_over(self, tail: Tail) -> bool:
        source = tail.source
        if not isinstance(source, StreamSource):
            return False
        try:
            state = self._ctx.views.state(source.run)
        except RunError:
            return False
        return state is None or state.is_terminal


def _unreadable(error: OSError) -> CallError:
    if isinstance(error, FileNotFoundError):
        name = error.filename or error
        return CallError("not_found", f"there is no such file on the host: {name}", "look at its path")
    return CallError(
        "refused",
        f"the file cannot be read: {error.strerror or error}",
        "name a plain file that you may read",
    )
