"""A few workers, each with a channel of its own, on a heap of jobs; a lost link only makes them wait."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from remote.protocol.errors import UnreachableError
from remote.transfer.fetch_file import CancelledError
from remote.transfer.large_file_turn import LargeFileTurn
from remote.transfer.sources import FileSource, LostError, NoChannelError
from remote.transfer.transfer_progress import ByteMeter

Job: TypeAlias = Callable[[FileSource], None]
TICK_S = 0.1
PARTING_S = 5.0


@dataclass(frozen=True, slots=True)
class TransferTimeouts:
    """How long a link may be away, seconds without a byte, and how often it is looked at meanwhile."""

    lost_s: float = 300.0
    look_s: float = 0.05


class TransferWorkers:
    """Does jobs until none is left. A job may add others, which are done next.

    Attributes:
        lane: who of them has the link for a large file.
    """

    def __init__(
        self,
        count: int,
        open_source: Callable[[], FileSource],
        is_up: Callable[[], bool],
        meter: ByteMeter,
        timeouts: TransferTimeouts,
    ) -> None:
        self._open, self._is_up, self._meter, self._timeouts = open_source, is_up, meter, timeouts
        self.turn = LargeFileTurn()
        self._count = count
        self._jobs: deque[Job] = deque()
        self._busy = self._equipped = 0
        self._changed = threading.Condition()
        self._cancelled = threading.Event()
        self._error: BaseException | None = None
        self._sources: list[FileSource] = []

    @property
    def is_cancelled(self) -> bool:
        """Whether jobs should leave."""
        return self._cancelled.is_set()

    def add(self, jobs: Sequence[Job]) -> None:
        """Jobs to do before those that wait already, in this order."""
        with self._changed:
            self._jobs.extendleft(reversed(jobs))
            self._changed.notify_all()

    def cancel(self) -> None:
        """Let every worker leave as soon as it can; may be called from any thread."""
        self._cancelled.set()
        with self._changed:
            self._changed.notify_all()

    def work(self, on_tick: Callable[[], None]) -> None:
        """Do everything; `on_tick` is called ten times a second on this thread.

        Raises:
            Whatever a job raised that trying again does not mend; KeyboardInterrupt.
        """
        threads = [
            threading.Thread(target=self._labour, name=f"photinus-transfer-{i}", daemon=True)
            for i in range(self._count)
        ]
        for thread in threads:
            thread.start()
        try:
            while not self._is_over() and any(thread.is_alive() for thread in threads):
                with self._changed:
                    self._changed.wait(TICK_S)
                on_tick()
        except BaseException:
            self._leave()
            raise
        self._leave()
        if self._error is not None:
            raise self._error

    def _is_over(self) -> bool:
        with self._changed:
            return self.is_cancelled or not (self._jobs or self._busy)

    def _leave(self) -> None:
        """Let the busy ones end what they hold. Who still waits for a channel finds nothing to do with it."""
        self.cancel()
        for source in list(self._sources):
            source.close()
        deadline = time.monotonic() + PARTING_S
        with self._changed:
            while self._busy and time.monotonic() < deadline:
                self._changed.wait(TICK_S)

    def _labour(self) -> None:
        source = self._open()
        self._sources.append(source)
        try:
            if not self._equip(source):
                return
            while (job := self._next()) is not None:
                try:
                    self._persist(job, source)
                finally:
                    with self._changed:
                        self._busy -= 1
                        self._changed.notify_all()
        except BaseException as error:  # carried over to the thread that waits, whole
            if self._error is None and not isinstance(error, CancelledError):
                self._error = error
            self.cancel()
        finally:
            source.close()

    def _equip(self, source: FileSource) -> bool:
        """Have a channel before there is a job to hold; False if the others must do with theirs."""
        since = time.monotonic()
        while not self.is_cancelled:
            try:
                source.prepare()
            except NoChannelError as error:
                if self._equipped:
                    return False
                raise (error.__cause__ or error) from None
            except LostError as error:
                self._await_link(since + self._timeouts.lost_s, str(error))
            else:
                self._equipped += 1
                return True
        return False

    def _next(self) -> Job | None:
        with self._changed:
            while not self._jobs and self._busy and not self.is_cancelled:
                self._changed.wait()
            if self.is_cancelled or not self._jobs:
                return None
            self._busy += 1
            return self._jobs.popleft()

    def _persist(self, job: Job, source: FileSource) -> None:
        since, sent = time.monotonic(), self._meter.sent
        while True:
            try:
                return job(source)
            except LostError as error:
                if self._meter.sent > sent:
                    since, sent = time.monotonic(), self._meter.sent
                self._await_link(since + self._timeouts.lost_s, str(error))

    def _await_link(self, deadline: float, why: str) -> None:
        while True:
            if self._cancelled.wait(self._timeouts.look_s):
                raise CancelledError
            if time.monotonic() > deadline:
                raise UnreachableError(
                    f"nothing came over the link for {self._timeouts.lost_s:g} s: {why}",
                    "run the same again later: it goes on where it stands",
                )
            if self._is_up():
                return
