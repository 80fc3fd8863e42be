"""The verbs `tail`, `events`, `watch`, `older`, `untail` and `ack`, and the streams of one client."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from remote.agent.context import Context
from remote.agent.streams.source import FollowedFiles, StreamSource, WatchedFile, first_cursor, read_before
from remote.agent.streams.tail import Tail
from remote.protocol import verbs
from remote.protocol.arguments import (
    AckArgs,
    OlderArgs,
    StreamArgs,
    TailArgs,
    UntailArgs,
    VerbArgs,
    WatchArgs,
)
from remote.protocol.errors import CallError
from remote.protocol.messages import encode
from remote.protocol.results import Backfill, NoResult, StreamOpened
from remote.protocol.verbs import Verb
from trainer.run.run_errors import RunError

POLL_S = 0.02
STREAMS_MAX = 64
THOROUGH_EACH = 5


A = TypeVar("A", bound=VerbArgs)
R = TypeVar("R")


def _served(verb: Verb[A, R], handler: Callable[[A], R]) -> tuple[str, Callable[[Any], object]]:
    return verb.name, handler


class ClientStreams:
    """Every stream of this client. Polled each 20 ms while somebody watches."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._numbers = itertools.count(1)
        self._tails: dict[int, Tail] = {}
        self._turn = 0
        self.verbs: Mapping[str, Callable[[Any], object]] = dict(
            (
                _served(verbs.TAIL, self.tail),
                _served(verbs.EVENTS, self.events),
                _served(verbs.WATCH, self.watch),
                _served(verbs.OLDER, self.older),
                _served(verbs.UNTAIL, self.untail),
                _served(verbs.ACK, self.ack),
            )
        )
        """What carries out each verb that belongs to this client's streams."""

    def __len__(self) -> int:
        return len(self._tails)

    def tail(self, args: TailArgs) -> StreamOpened:
        """The verb: open a stream of a run's log."""
        return self._open(self._of_run(args.run_id, "log"), args)

    def events(self, args: TailArgs) -> StreamOpened:
        """The verb: open a stream of a run's events."""
        return self._open(self._of_run(args.run_id, "events"), args)

    def watch(self, args: WatchArgs) -> StreamOpened:
        """The verb: open a stream of any plain file; one that is to be followed need not be there yet."""
        source = _plain_file(args.path)
        try:
            is_missing = not args.follow and not source.files()
        except OSError as error:
            raise _unreadable(error) from error
        if is_missing:
            raise _unreadable(FileNotFoundError(args.path))
        return self._open(source, args)

    def _open(self, source: FollowedFiles, args: StreamArgs) -> StreamOpened:
        """Open a stream; its bytes come after this answer.

        Raises:
            CallError: `not_found`, or `refused`: too many streams, or a file that cannot be read.
        """
        if len(self._tails) >= STREAMS_MAX:
            raise CallError("refused", f"{STREAMS_MAX} streams are open already", "close one")
        try:
            cursor = args.cursor or first_cursor(source, args.last)
            number = next(self._numbers)
            tail = Tail(number, source, cursor, follow=args.follow, skip=args.skip)
        except OSError as error:
            raise _unreadable(error) from error
        self._tails[tail.number] = tail
        return StreamOpened(
            stream=tail.number, cursor=tail.cursor, behind=tail.behind(), before=tail.before()
        )

    def older(self, args: OlderArgs) -> Backfill:
        """The verb: bytes that stand before a place, for whoever scrolls back.

        Raises:
            CallError: `not_found`, or `refused`.
        """
        is_watched = args.what == "watch"
        source = _plain_file(args.path) if is_watched else self._of_run(args.run_id, args.what)
        try:
            piece = read_before(source, args.file, args.before, args.n)
        except OSError as error:
            raise _unreadable(error) from error
        return Backfill(file=piece.file, offset=piece.offset, data=piece.data, is_first=piece.is_first)

    def untail(self, args: UntailArgs) -> NoResult:
        """The verb: close a stream; one that is not open is closed already."""
        self._close(args.stream)
        return NoResult()

    def ack(self, args: AckArgs) -> NoResult:
        """The verb: the client has read `off` bytes of a stream, counted from its opening."""
        if tail := self._tails.get(args.stream):
            tail.acknowledge(args.off)
        return NoResult()

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
                self._close(tail.number)
                ended = {"event": "eof", "stream": tail.number, "run": tail.source.run_id}
                yield encode({**ended, "reason": reason} if reason else ended)

    def _close(self, number: int) -> None:
        if tail := self._tails.pop(number, None):
            tail.close()

    def _of_run(self, run_id: str, what: str) -> FollowedFiles:
        return StreamSource(self._ctx.run(run_id), what)

    def _is_over(self, tail: Tail) -> bool:
        source = tail.source
        if not isinstance(source, StreamSource):
            return False
        try:
            state = self._ctx.views.state(source.run)
        except RunError:
            return False
        return state is None or state.is_terminal


def _plain_file(name: str) -> FollowedFiles:
    path = Path(name)
    if "\0" in name or not path.expanduser().is_absolute():
        raise CallError("bad_request", f"{name[:200]!r} is no absolute path", "begin it with /")
    return WatchedFile(path.expanduser())


def _unreadable(error: OSError) -> CallError:
    if isinstance(error, FileNotFoundError):
        name = error.filename or error
        return CallError("not_found", f"there is no such file on the host: {name}", "look at its path")
    return CallError(
        "refused",
        f"the file cannot be read: {error.strerror or error}",
        "name a plain file that you may read",
    )
