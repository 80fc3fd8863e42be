"""Sending a tree: its list first, then only what the host lacks, each part from where it stands there."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from remote.protocol.errors import CallError, UnreachableError
from remote.protocol.keeping import Parcel, TreeAdmission, TreeArgs, TreeRoom, TreeRoomArgs
from remote.protocol.verbs import ADMIT_TREE, TREE, Verb
from remote.session.session import Session
from remote.transfer.sinks import Sink, open_sink
from remote.transfer.sources import LostError
from remote.transfer.transfer_progress import ByteMeter, TransferProgress
from remote.transfer.workers import TransferTimeouts
from trainer.run.disk.file_tree import FileTree, TreeFile

TRIES = 2
PIECE = 1 << 20
ADMIT_S = 60.0
SECONDS_A_BYTE = 1 / 20e6
SECONDS_A_FILE = 0.05


class TreeContents(Protocol):
    """A tree, and the bytes of its files, wherever they lie."""

    @property
    def tree(self) -> FileTree:
        """What it is made of."""

    def read(self, one: TreeFile, start: int) -> Iterator[bytes]:
        """The bytes of a file from `start` on.

        Raises:
            LostError: the link to where it lies broke.
            CallError: it is not what it was.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class SendOptions:
    """How. `on_progress` is told a few times a second."""

    timeouts: TransferTimeouts = field(default_factory=TransferTimeouts)
    open_sink: Callable[[Session], Sink] = open_sink
    on_progress: Callable[[TransferProgress], None] = lambda _progress: None


@dataclass(frozen=True, slots=True)
class SentTree:
    """Where a tree lies on the host now, and how many bytes went there for it: 0 where it was there."""

    path: str
    sha256: str
    sent: int


def send_tree(
    session: Session, local: TreeContents, kind: str, name: str = "", options: SendOptions | None = None
) -> SentTree:
    """Bring a tree to the host, unless it is there.

    Raises:
        CallError: `disk_low`, `refused`, `damaged`, `unreachable`, `incompatible` (an older host); what went
            stays there for the next try.
    """
    return _Sending(session, local, kind, name, options or SendOptions()).carry_out()


class _Sending:
    def __init__(
        self, session: Session, local: TreeContents, kind: str, name: str, options: SendOptions
    ) -> None:
        self._session, self._local, self._options = session, local, options
        self._tree = local.tree
        self._files = sorted(local.tree.files)
        self._about: dict[str, Any] = {
            "kind": kind,
            "sha256": self._tree.sha256,
            "list_bytes": len(self._tree.encoded),
            "name": name,
        }
        self._meter = ByteMeter()
        self._sink = options.open_sink(session)

    def carry_out(self) -> SentTree:
        patience = ADMIT_S + self._tree.size * SECONDS_A_BYTE + len(self._files) * SECONDS_A_FILE
        bad: list[str] = []
        try:
            for _ in range(TRIES):
                room = self._send_all()
                if room.done:
                    return self._sent(room.dir)
                answer: TreeAdmission = self._ask(ADMIT_TREE, TreeArgs(**self._about), patience)
                if answer.done:
                    return self._sent(answer.dir)
                bad = answer.bad
        finally:
            self._sink.close()
        raise CallError(
            "damaged", f"it arrived changed, twice: {', '.join(bad)[:300]}", "look at the host's disk"
        )

    def _sent(self, path: str) -> SentTree:
        return SentTree(path, self._tree.sha256, self._meter.sent)

    def _send_all(self) -> TreeRoom:
        since, sent = time.monotonic(), self._meter.sent
        while True:
            try:
                return self._send_missing()
            except LostError as error:
                self._sink.close()
                if self._meter.sent > sent:
                    since, sent = time.monotonic(), self._meter.sent
                self._await_link(since, str(error))

    def _send_missing(self) -> TreeRoom:
        room = self._room()
        if room.list_path:
            start = room.list_present if room.list_present < len(self._tree.encoded) else 0
            self._write(room.list_path, start, iter([self._tree.encoded[start:]]))
            room = self._room()
            if room.list_path:
                raise CallError("damaged", "the list of the files arrived changed", "start again")
        if not self._meter.total:
            self._meter.expect(
                sum(one.bytes for one in room.parcels), sum(one.present for one in room.parcels)
            )
        for parcel in room.parcels:
            if parcel.present < parcel.bytes:
                self._write(parcel.path, parcel.present, self._contents(parcel))
        return room

    def _contents(self, parcel: Parcel) -> Iterator[bytes]:
        """The parcel from where it stands, in pieces of a good size."""
        skip, heap = parcel.present, bytearray()
        for at in parcel.files:
            one = self._files[at]
            self._meter.what = one.path
            if skip >= one.bytes:
                skip -= one.bytes
                continue
            for data in self._local.read(one, skip):
                heap += data
                if len(heap) >= PIECE:
                    yield bytes(heap)
                    heap.clear()
            skip = 0
        if heap:
            yield bytes(heap)

    def _write(self, path: str, start: int, chunks: Iterator[bytes]) -> None:
        def on_sent(count: int) -> None:
            self._meter.arrived(count)
            self._options.on_progress(self._meter.reading())

        self._sink.write(path, start, chunks, on_sent)

    def _room(self) -> TreeRoom:
        room: TreeRoom = self._ask(TREE, TreeRoomArgs(**self._about, bytes=self._tree.size), ADMIT_S)
        if any(not 0 <= at < len(self._files) for one in room.parcels for at in one.files):
            raise CallError(
                "refused", f"{self._session.host.name} asked for files that are none of this tree"
            )
        return room

    def _ask(self, verb: Verb[Any, Any], args: TreeArgs, timeout: float) -> Any:
        try:
            return self._session.call(verb, args, timeout)
        except CallError as error:
            if error.code != "unknown_verb":
                raise
            name = self._session.host.name
            raise CallError(
                "incompatible",
                f"the Photinus of {name} is older, and takes no files along",
                f"photinus hosts deploy {name}",
            ) from error

    def _await_link(self, since: float, why: str) -> None:
        timeouts = self._options.timeouts
        while not self._session.link.is_up:
            time.sleep(timeouts.look_s)
            if time.monotonic() - since > timeouts.lost_s:
                raise UnreachableError(
                    f"nothing went over the link for {timeouts.lost_s:g} s: {why}",
                    "run the same again later: it goes on where it stands",
                )
        time.sleep(timeouts.look_s)
        if time.monotonic() - since > timeouts.lost_s:
            raise UnreachableError(why, "run the same again later: it goes on where it stands")
