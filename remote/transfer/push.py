"""`push`: a checkpoint from here to a host, resumed, and proven there before it gets its name."""

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from remote.protocol.arguments import AdmitArgs, SeedArgs, as_sent
from remote.protocol.errors import CallError, ProtocolError, UnreachableError
from remote.protocol.results import Admission, SeedPlace
from remote.protocol.verbs import ADMIT, SEED
from remote.session.session import Session
from remote.transfer.sinks import Sink, open_sink
from remote.transfer.sources import LostError
from remote.transfer.transfer_progress import ByteMeter, TransferProgress
from remote.transfer.workers import TransferTimeouts
from trainer.run.checkpoints.imported import ORIGIN
from trainer.run.checkpoints.manifest import MANIFEST, checkpoint_name, manifest_sha256, verify
from trainer.run.run_errors import CheckpointError

CHUNK = 1 << 20
TRIES = 2
SECONDS_A_BYTE = 1 / 50e6  # a host that hashes no faster than this is waited for no longer
ADMIT_S = 60.0
WHOLE = "name the folder of a whole checkpoint, such as RUN/step-00001000"


@dataclass(frozen=True, slots=True, kw_only=True)
class PushResult:
    """What came of a push.

    Attributes:
        parent: `ORIGIN/step-NNNNNNNN`, what `start --from` takes; empty where it went into a run.
        path: where it lies on the host. was_there: it lay there already.
    """

    name: str
    step: int
    parent: str
    run_id: str
    path: str
    bytes: int
    sent: int
    was_there: bool

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {key: getattr(self, key) for key in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class PushOptions:
    """How, beside what and where to. `origin`: the run's name that it gets there; empty: by its place."""

    origin: str = ""
    run_id: str = ""
    timeouts: TransferTimeouts = field(default_factory=TransferTimeouts)
    open_sink: Callable[[Session], Sink] = open_sink


def push(
    session: Session,
    path: Path,
    options: PushOptions | None = None,
    on_progress: Callable[[TransferProgress], None] = lambda _progress: None,
) -> PushResult:
    """Prove a checkpoint here, bring it to the host, have it proven there.

    Raises:
        CallError: `not_found`, `refused`, `disk_low`, `already_running`, `unreachable`, `damaged`: what went
            stays there for the next try.
    """
    options = options or PushOptions()
    path = path.expanduser().absolute()
    if not path.is_dir():
        raise CallError("not_found", f"{path} is no folder", WHOLE)
    try:
        manifest, sha256 = verify(path), manifest_sha256(path)
    except CheckpointError as error:
        inside = sorted(one.parent.name for one in path.glob(f"*/{MANIFEST}"))
        remedy = f"name one of those in it: {', '.join(inside[-4:])}" if inside else WHOLE
        raise CallError("refused", str(error), remedy) from error
    sizes = {name: proof.bytes for name, proof in manifest.files.items()}
    sizes[MANIFEST] = (path / MANIFEST).stat().st_size
    origin = options.origin or origin_of(path)
    if not ORIGIN.fullmatch(origin):
        raise CallError("bad_request", f"{origin!r} is no name of a run", "name one with --origin")
    args = AdmitArgs(
        origin=origin,
        name=checkpoint_name(manifest.step),
        sha256=sha256,
        run_id=options.run_id,
    )
    outbound = _Outbound(session, path, args, sizes, options, on_progress)
    answer = outbound.carry_out()
    return PushResult(
        name=args.name,
        step=manifest.step,
        parent="" if options.run_id else f"{origin}/{args.name}",
        run_id=options.run_id,
        path=answer.dir,
        bytes=sum(sizes.values()),
        sent=outbound.meter.sent,
        was_there=not outbound.meter.total,
    )


def origin_of(path: Path) -> str:
    """The run that its place names: `RUN/step-N`, as a pull leaves it, or `RUN/checkpoints/step-N`."""
    folder = path.parent.parent if path.parent.name == "checkpoints" else path.parent
    return re.sub(r"[^a-z0-9._-]+", "-", folder.name.lower()).strip("-._")[:96] or "seed"


class _Outbound:
    def __init__(
        self,
        session: Session,
        path: Path,
        args: AdmitArgs,
        sizes: Mapping[str, int],
        options: PushOptions,
        on_progress: Callable[[TransferProgress], None],
    ) -> None:
        self.meter = ByteMeter()
        self._session, self._path, self._args, self._sizes = session, path, args, sizes
        self._options, self._on_progress = options, on_progress
        self._sink = options.open_sink(session)

    def carry_out(self) -> SeedPlace | Admission:
        total = sum(self._sizes.values())
        try:
            for _ in range(TRIES):
                place = self._place(total)
                if place.done:
                    return place
                if not self.meter.total:
                    self.meter.expect(total, sum(_present(place, self._sizes).values()))
                self._send_all()
                answer = self._session.call(ADMIT, self._args, ADMIT_S + total * SECONDS_A_BYTE)
                if answer.done:
                    return answer
                for name in answer.bad:
                    self.meter.lost(self._sizes.get(name, 0))
        except ProtocolError as error:
            raise CallError("refused", f"the host answered wrongly: {error}") from error
        finally:
            self._sink.close()
        raise CallError(
            "damaged",
            f"{self._path.name} arrived changed, twice: {', '.join(answer.bad)}",
            "look at the host's disk",
        )

    def _place(self, size: int) -> SeedPlace:
        return self._session.call(SEED, SeedArgs(**as_sent(self._args), bytes=size), 30.0)

    def _send_all(self) -> None:
        """Every file from where it stands there; the manifest last."""
        since, sent = time.monotonic(), self.meter.sent
        while True:
            try:
                place = self._place(0)
                there = _present(place, self._sizes)
                for name in sorted(self._sizes, key=lambda name: name == MANIFEST):
                    self._send(f"{place.dir}/{name}", name, there.get(name, 0))
            except LostError as error:
                if self.meter.sent > sent:
                    since, sent = time.monotonic(), self.meter.sent
                self._await_link(since, str(error))
            else:
                return

    def _send(self, there: str, name: str, start: int) -> None:
        if start == self._sizes[name]:
            return
        self.meter.what = name

        def on_sent(count: int) -> None:
            self.meter.arrived(count)
            self._on_progress(self.meter.reading())

        self._sink.write(there, start, _chunks(self._path / name, start), on_sent)

    def _await_link(self, since: float, why: str) -> None:
        timeouts = self._options.timeouts
        while True:
            time.sleep(timeouts.look_s)
            self._on_progress(self.meter.reading())
            if time.monotonic() - since > timeouts.lost_s:
                raise UnreachableError(
                    f"nothing went over the link for {timeouts.lost_s:g} s: {why}",
                    "run the same again later: it goes on where it stands",
                )
            if self._session.link.is_up:
                return


def _present(place: SeedPlace, sizes: Mapping[str, int]) -> dict[str, int]:
    """Bytes of our files that lie on the host; a file that is too long there counts for nothing."""
    return {one.name: one.bytes for one in place.present if 0 <= one.bytes <= sizes.get(one.name, -1)}


def _chunks(path: Path, start: int) -> Iterator[bytes]:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        while data := os.pread(fd, CHUNK, start):
            start += len(data)
            yield data
    finally:
        os.close(fd)
