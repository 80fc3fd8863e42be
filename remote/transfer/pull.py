"""`pull`: checkpoints of a run from its host, resumed, proven, several files in flight."""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from remote.hosts.client_state import make_client_folder
from remote.hosts.host import Host
from remote.protocol.errors import CallError
from remote.session.session import Session
from remote.transfer.catalog import Catalog, RemoteCheckpoint, read_catalog
from remote.transfer.checkpoint_folder import CheckpointFolder
from remote.transfer.download import Download
from remote.transfer.fetch_file import CancelledError
from remote.transfer.safe_names import check_run
from remote.transfer.select import Choice, choose, unreadable
from remote.transfer.sources import FileSource, open_source
from remote.transfer.transfer_progress import ByteMeter, TransferProgress
from remote.transfer.workers import TransferTimeouts, TransferWorkers
from trainer.run.locks import Flock

WORKERS = 4
SPARE = 16 << 20
CHANGES_MAX = 3
LOCK = ".pull.lock"


@dataclass(frozen=True, slots=True)
class Pulled:
    """What came of a pull.

    Attributes:
        folder: `DIR/RUN`, in which every checkpoint is a folder.
        fetched, identical: checkpoints that are here now, those that were here before.
        gone: names of those that the host removed or replaced meanwhile.
        unreadable: name -> why, of those that were asked for and that the host itself cannot read.
        sent: bytes that came over the link.
    """

    run_id: str
    folder: Path
    fetched: tuple[RemoteCheckpoint, ...] = ()
    identical: tuple[RemoteCheckpoint, ...] = ()
    gone: tuple[str, ...] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
    sent: int = 0
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "run_id": self.run_id,
            "folder": str(self.folder),
            "fetched": [self._row(one) for one in self.fetched],
            "identical": [self._row(one) for one in self.identical],
            "gone": list(self.gone),
            "unreadable": dict(self.unreadable),
            "sent": self.sent,
            "seconds": round(self.seconds, 3),
        }

    def _row(self, one: RemoteCheckpoint) -> dict[str, Any]:
        return {
            "name": one.name,
            "step": one.step,
            "path": str(self.folder / one.name),
            "bytes": one.size,
            "sha256": one.sha256,
            "kind": one.kind,
            "best": one.is_best,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PullOptions:
    """How, beside what and where to.

    Attributes:
        is_thorough: hash the files of checkpoints that are here already, instead of their manifest alone.
        disk_free: bytes free below a folder.
        spare: bytes that stay free, whatever is fetched.
    """

    is_thorough: bool = False
    workers: int = WORKERS
    spare: int = SPARE
    timeouts: TransferTimeouts = field(default_factory=TransferTimeouts)
    open_source: Callable[[Session], FileSource] = open_source
    disk_free: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free


def default_folder(host: Host) -> Path:
    """Where a pull from this host goes unless `--to` says otherwise."""
    if host.checkpoints:
        return Path(host.checkpoints).expanduser().absolute()
    return make_client_folder("checkpoints", host.name)


def pull(
    session: Session,
    run_id: str,
    choice: Choice | None = None,
    to: Path | None = None,
    *,
    options: PullOptions | None = None,
    on_progress: Callable[[TransferProgress], None] = lambda _progress: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Pulled:
    """Fetch what is missing here of the checkpoints that are asked for (the latest, unless said otherwise).

    A single one that is removed on the host meanwhile is chosen anew; of several, the others are fetched.

    Raises:
        CallError: `not_found`, `refused`, `disk_low`, `unreachable`, `damaged`; what came stays for the next.
        CancelledError: `is_cancelled` said so.
    """
    choice, options = choice or Choice(), options or PullOptions()
    run_folder = (to or default_folder(session.host)).absolute() / check_run(run_id)
    begun = time.monotonic()
    catalog = read_catalog(session, run_id)
    choose(catalog, choice)  # nothing is made here before there is something to fetch
    _make_folder(run_folder)
    with Flock(run_folder / LOCK) as lock:
        if not lock.take():
            raise CallError("refused", f"another pull into {run_folder} is going on", "wait for it")
        sent, gone = 0, list[str]()
        for _ in range(CHANGES_MAX):
            pulled = _Round(session, run_folder, options, on_progress, is_cancelled).carry_out(
                catalog, choice
            )
            sent, gone = sent + pulled.sent, [*gone, *pulled.gone]
            if not pulled.gone:
                break
            before, catalog = catalog, read_catalog(session, run_id)
            _demand_gone(session, before, catalog, pulled.gone)
            if not choice.is_one:
                break
    if choice.is_one and pulled.gone:
        names = ", ".join(gone)
        raise CallError("not_found", f"{names} of {run_id} was removed on the host meanwhile", "try again")
    return replace(pulled, gone=tuple(gone), sent=sent, seconds=time.monotonic() - begun)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        why = f"{folder} cannot be made on this machine: {error.strerror or error}"
        raise CallError(
            "refused", why, "name another folder with --to, or as `checkpoints:` of the host"
        ) from error


def _demand_gone(session: Session, before: Catalog, now: Catalog, gone: Sequence[str]) -> None:
    """What the agent lists unchanged and SFTP does not find is not gone: SFTP sees other folders."""
    was = {one.name: one.sha256 for one in before.checkpoints if one.name in gone}
    for one in now.checkpoints:
        if one.name in was and was[one.name] == one.sha256:
            raise CallError(
                "refused",
                f"{session.host.name} lists {one.name}, and its SFTP finds nothing in {now.folder}",
                "see whether sshd confines SFTP there (ChrootDirectory, ForceCommand)",
            )


class _Round:
    """One catalog, and what is fetched by it."""

    def __init__(
        self,
        session: Session,
        run_folder: Path,
        options: PullOptions,
        on_progress: Callable[[TransferProgress], None],
        is_cancelled: Callable[[], bool],
    ) -> None:
        self._session, self._run_folder, self._options = session, run_folder, options
        self._on_progress, self._is_cancelled = on_progress, is_cancelled
        self._meter = ByteMeter()

    def carry_out(self, catalog: Catalog, choice: Choice) -> Pulled:
        chosen = choose(catalog, choice)
        identical = [one for one in chosen if self._is_here(one)]
        wanted = [one for one in chosen if one not in identical]
        for one in wanted:
            self._meter.expect(one.size, CheckpointFolder(self._run_folder, one.name).begin(one))
        self._demand_space(wanted)
        inbound = [Download(catalog, one, self._run_folder, self._meter) for one in wanted]
        if inbound:
            self._fetch(inbound)
        done = tuple(one.wanted for one in inbound if one.is_whole)
        if damaged := [one.damage for one in inbound if one.damage]:
            others = f"; {len(done)} others came whole" if len(inbound) > 1 else ""
            raise CallError(
                "damaged",
                f"{'; '.join(damaged)}{others}",
                "pull another checkpoint, and look at the host's disk",
            )
        return Pulled(
            run_id=catalog.run_id,
            folder=self._run_folder,
            fetched=done,
            identical=tuple(identical),
            gone=tuple(one.wanted.name for one in inbound if one.is_gone),
            unreadable=unreadable(catalog, choice),
            sent=self._meter.sent,
        )

    def _fetch(self, inbound: Sequence[Download]) -> None:
        files = sum(len(one.wanted.files) for one in inbound)
        options = self._options
        workers = TransferWorkers(
            max(1, min(options.workers, files)),
            lambda: options.open_source(self._session),
            lambda: self._session.link.is_up,
            self._meter,
            options.timeouts,
        )
        workers.add([one.opening(workers) for one in inbound])

        def tick() -> None:
            self._on_progress(self._meter.reading())
            if self._is_cancelled():
                raise CancelledError

        workers.work(tick)
        self._on_progress(self._meter.reading())
        for one in inbound:
            one.tidy()

    def _is_here(self, one: RemoteCheckpoint) -> bool:
        folder = CheckpointFolder(self._run_folder, one.name)
        if self._options.is_thorough or not folder.is_identical(one):
            folder.reopen(one, is_thorough=self._options.is_thorough)
        return folder.is_identical(one)

    def _demand_space(self, wanted: Sequence[RemoteCheckpoint]) -> None:
        if not wanted:
            return
        free = self._options.disk_free(self._run_folder)
        need = self._meter.total - self._meter.done + self._options.spare
        if free < need:
            raise CallError(
                "disk_low",
                f"{free / 1e6:,.0f} MB are free below {self._run_folder} and {need / 1e6:,.0f} MB are needed",
                "free some space, or name another place with --to",
                {"free": free, "need": need},
            )
