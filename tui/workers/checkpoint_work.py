"""Checkpoints of a run: read side by side, pulled, proven. Each piece of work on a thread of its own."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from remote.protocol.errors import CallError
from trainer.user_error import UserError
from tui.store.kept.shelf import CheckpointShelf, Copy, ShelfRow, Transfer
from tui.workers.errands import Post
from tui.workers.trained_work import TrainedWork

if TYPE_CHECKING:
    from remote.session.session import Session
    from remote.transfer.catalog import RemoteCheckpoint
    from remote.transfer.transfer_progress import TransferProgress


class CheckpointWork(TrainedWork):
    """Reads, pulls and proves. `post` runs a function on the screen's thread; `clock`: monotonic seconds."""

    def __init__(self, sessions: Mapping[str, "Session"], post: Post, clock: Callable[[], float]) -> None:
        super().__init__(sessions, post)
        self._clock = clock

    def read(self, host: str, run_id: str, on_shelf: Callable[[CheckpointShelf], None]) -> None:
        """What the host and this machine have of a run; the host's part may be missing, and says why."""

        def work() -> None:
            try:
                shelf = self._read(host, run_id)
            except Exception as error:  # a fault of ours must not leave the screen waiting
                shelf = CheckpointShelf(self._clock(), trouble=f"a fault of Photinus: {error!r}")
            self._post(lambda: on_shelf(shelf))

        self._begin(work)

    def pull(self, transfer: Transfer, on_end: Callable[[], None]) -> None:
        """Fetch one checkpoint; what came stays where it does not come whole."""

        def work() -> str:
            from remote.transfer.pull import pull
            from remote.transfer.select import Choice

            def told(progress: "TransferProgress") -> None:
                transfer.done, transfer.total = progress.done, progress.total
                transfer.rate, transfer.eta_s = progress.rate, progress.eta_s

            pulled = pull(
                self._sessions[transfer.host],
                transfer.run_id,
                Choice("match", glob=transfer.name),
                on_progress=told,
                is_cancelled=lambda: transfer.is_dropped,
            )
            was_here = "was here already: " if pulled.identical and not pulled.fetched else "is here: "
            return f"{transfer.name} {was_here}{pulled.folder / transfer.name}"

        self._carry_out(transfer, work, on_end)

    def verify(self, transfer: Transfer, on_end: Callable[[], None]) -> None:
        """Prove every byte of the copy on this machine by its manifest."""

        def work() -> str:
            from trainer.run.checkpoints.manifest import verify

            verify(self._folder(transfer.host, transfer.run_id) / transfer.name)
            return f"every byte of the copy of {transfer.name} is as its manifest says"

        self._carry_out(transfer, work, on_end)

    def prove(self, transfer: Transfer, on_end: Callable[[], None]) -> None:
        """Have the host prove every byte of its own."""

        def work() -> str:
            from remote.actions.trained.trainer_answers import prove_checkpoint

            why = prove_checkpoint(self._sessions[transfer.host], transfer.run_id, transfer.name)
            if why:
                raise CallError("damaged", f"{transfer.name} on {transfer.host} does not hold: {why}")
            return f"every byte of {transfer.name} on {transfer.host} is as its manifest says"

        self._carry_out(transfer, work, on_end)

    def _carry_out(self, transfer: Transfer, work: Callable[[], str], on_end: Callable[[], None]) -> None:
        def run() -> None:
            from remote.transfer.fetch_file import CancelledError

            ok, message = False, ""
            try:
                ok, message = True, work()
            except CancelledError:
                message = f"{transfer.name}: ended as you asked; another pull goes on where it stands"
            except CallError as error:
                message = ". ".join(text for text in (error.message, error.remedy) if text)
            except UserError as error:
                message = error.in_full
            except OSError as error:
                message = str(error)
            except Exception as error:  # a fault of ours must not leave it at work for ever
                message = f"a fault of Photinus: {error!r}"

            def end() -> None:
                transfer.ok, transfer.message, transfer.ended = ok, message, self._clock()
                on_end()

            self._post(end)

        self._begin(run)

    def _folder(self, host: str, run_id: str) -> Path:
        from remote.transfer.pull import default_folder
        from remote.transfer.safe_names import check_run

        return default_folder(self._sessions[host].host) / check_run(run_id)

    def _read(self, host: str, run_id: str) -> CheckpointShelf:
        from remote.transfer.catalog import read_catalog

        session, trouble, folder = self._sessions[host], "", ""
        told: tuple[RemoteCheckpoint, ...] = ()
        trash: tuple[str, ...] = ()
        try:
            catalog = read_catalog(session, run_id)
            told, folder, trash = catalog.checkpoints, catalog.folder, catalog.trash
        except CallError as error:
            trouble = error.message
        here = self._folder(host, run_id)
        rows = {one.name: _of_host(one, here) for one in told}
        for row in _copies(here):
            rows.setdefault(row.name, row)
        newest = tuple(sorted(rows.values(), key=lambda row: row.step, reverse=True))
        return CheckpointShelf(self._clock(), newest, folder, str(here), trouble, trash)

    def _begin(self, work: Callable[[], None]) -> None:
        threading.Thread(target=work, name="photinus-checkpoints", daemon=True).start()


def _of_host(one: "RemoteCheckpoint", here: Path) -> ShelfRow:
    """A checkpoint of the host, and what is here of it."""
    from remote.transfer.checkpoint_folder import CheckpointFolder

    folder = CheckpointFolder(here, one.name)
    copy: Copy = "none"
    if not one.why and folder.is_identical(one):
        copy = "whole"
    elif folder.manifest.exists():
        copy = "other"
    elif folder.path.exists():
        copy = "part"
    return ShelfRow(
        one.name,
        one.step,
        on_host=True,
        here=copy,
        why=one.why,
        at=one.at,
        kind=one.kind,
        bytes=one.size,
        metrics=one.metrics,
        primary=one.primary,
        parent=one.parent,
        is_best=one.is_best,
        is_latest=one.is_latest,
        pin=one.pin,
    )


def _copies(here: Path) -> list[ShelfRow]:
    """The copies on this machine by themselves: of a host that is away, or that has let them go."""
    from trainer.run.checkpoints.manifest import MANIFEST, list_checkpoints

    rows = []
    for info in list_checkpoints(here):
        manifest = info.manifest
        row = ShelfRow(info.name, info.step, here="part" if manifest is None else "whole")
        if manifest is not None:
            row = ShelfRow(
                info.name,
                info.step,
                here="whole",
                at=(info.path / MANIFEST).stat().st_mtime,
                kind=manifest.kind,
                bytes=manifest.bytes,
                metrics=manifest.metrics,
                primary=manifest.primary,
                parent=manifest.parent,
            )
        rows.append(row)
    return rows
