"""A host's setting `auto_pull: best`: while a session is open, each new best checkpoint is fetched."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from remote.protocol.errors import CallError
from remote.protocol.views import RunView
from remote.session.session import Session
from remote.session.updates import LinkChanged, RunChanged, RunsSeen, Update
from remote.transfer.fetch_file import CancelledError
from remote.transfer.pull import Pulled, PullOptions, default_folder, pull
from remote.transfer.safe_names import check_run
from remote.transfer.select import Choice

PARTING_S = 2.0
AUTO_SPARE = 2 << 30  # nobody watches it: a host with a better "best" each minute must not fill the disk
BEST = Choice("best")


@dataclass(frozen=True, slots=True)
class AutoPulled:
    """A new best checkpoint is here."""

    host: str
    run_id: str
    name: str
    path: Path
    bytes: int


@dataclass(frozen=True, slots=True)
class AutoPullFailed:
    """It could not be fetched; tried again with the run's next checkpoint, or when the link is back."""

    host: str
    run_id: str
    message: str
    remedy: str


Note = AutoPulled | AutoPullFailed


class AutoPull:
    """Hand it every update of its session (`take`), and ask it now and then for news (`drain`).

    Neither waits: one thread of its own fetches, one run after another. Runs that were over before it was
    begun are left alone, unless an earlier pull of them is here.
    """

    def __init__(
        self,
        session: Session,
        *,
        folder: Path | None = None,
        options: PullOptions | None = None,
        fetch: Callable[..., Pulled] = pull,
    ) -> None:
        """`folder`: where to, by default the host's own; it is not made before something is fetched."""
        self._session, self._fetch = session, fetch
        self._folder = folder
        self._options = options or PullOptions(spare=AUTO_SPARE)
        self._seen: dict[str, str] = {}
        self._wanted: dict[str, None] = {}
        self._failed: dict[str, None] = {}
        self._notes: deque[Note] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def take(self, update: Update) -> None:
        """Note what a session said; returns at once."""
        if isinstance(update, RunsSeen):
            for view in update.runs:
                self._look(view, is_first=view.run_id not in self._seen)
        elif isinstance(update, RunChanged):
            self._look(update.run, is_first=False)
        elif isinstance(update, LinkChanged) and update.link.phase == "connected" and self._failed:
            with self._changed:
                again, self._failed = self._failed, {}
            self._want(*again)

    def drain(self) -> list[Note]:
        """What came, and what did not, since it was last asked."""
        notes: list[Note] = []
        while self._notes:
            notes.append(self._notes.popleft())
        return notes

    def close(self) -> None:
        """Leave; what is half here is gone on with by the next pull. Waits two seconds at most."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(PARTING_S)

    def _look(self, view: RunView, *, is_first: bool) -> None:
        last = view.last_checkpoint
        if last is None or self._seen.get(view.run_id) == last.sha256:
            return
        self._seen[view.run_id] = last.sha256
        if not (is_first and view.is_terminal and not self._is_here(view.run_id)):
            self._want(view.run_id)

    def _is_here(self, run_id: str) -> bool:
        """Whether an earlier pull left something; what is no run's id never touches a path."""
        try:
            return (self._place() / check_run(run_id)).is_dir()
        except (CallError, OSError):  # a full disk or a folder that is not ours: the screen goes on
            return False

    def _place(self) -> Path:
        if self._folder is None:
            self._folder = default_folder(self._session.host)
        return self._folder

    def _want(self, *run_ids: str) -> None:
        with self._changed:
            self._wanted.update(dict.fromkeys(run_ids))
            self._changed.notify_all()
            if self._thread is None and not self._is_closed:
                self._thread = threading.Thread(target=self._work, name="photinus-auto-pull", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while (run_id := self._next()) is not None:
            try:
                pulled = self._fetch(
                    self._session,
                    run_id,
                    BEST,
                    self._place(),
                    options=self._options,
                    is_cancelled=lambda: self._is_closed,
                )
            except CancelledError:
                return
            except CallError as error:
                self._fail(run_id, error)
            except Exception as error:  # a fault of ours must not end it silently
                self._fail(
                    run_id, CallError("internal", f"{type(error).__name__}: {error}", "please report this")
                )
            else:
                host = self._session.host.name
                for one in pulled.fetched:
                    path = pulled.folder / one.name
                    self._notes.append(AutoPulled(host, run_id, one.name, path, one.size))

    def _next(self) -> str | None:
        with self._changed:
            while not self._wanted and not self._is_closed:
                self._changed.wait()
            if self._is_closed:
                return None
            run_id = next(iter(self._wanted))
            del self._wanted[run_id]
            return run_id

    def _fail(self, run_id: str, error: CallError) -> None:
        if error.code == "not_found":
            return  # nothing was evaluated yet, or all of it is gone: there is no best
        with self._changed:
            self._failed[run_id] = None
        self._notes.append(AutoPullFailed(self._session.host.name, run_id, error.message, error.remedy))
