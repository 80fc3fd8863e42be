"""The one writer of a run's state while it is supervised."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from remote.supervisor.log import Log
from trainer.run.disk.atomic import NO_SPACE
from trainer.run.layout import RunDir
from trainer.run.process.identity import boot_id
from trainer.run.records import read_state, write_state
from trainer.run.states import State, StateRecord

RETRY_S = 0.5


class StateWriter:
    """Writes states; what a full disk refuses is owed, and tried again, so that a full disk ends no run."""

    def __init__(self, run: RunDir, attempt: int, log: Log) -> None:
        self._run = run
        self._log = log
        self._owed: dict[str, Callable[[], None]] = {}
        self._next_try = 0.0
        found = read_state(run)
        self._written = found.seq if found else 0
        self.record = found or StateRecord(
            run_id=run.run_id,
            state=State.STARTING,
            seq=0,
            attempt=attempt,
            since=time.time(),
            boot_id=boot_id(),
        )

    def to(self, state: State, reason: str = "", **changes: Any) -> None:
        """Move on to `state`; the same state with the same words is not written again."""
        same = state is self.record.state and reason == self.record.reason
        if same and all(getattr(self.record, key) == value for key, value in changes.items()):
            return
        self._advance(state, reason, changes)
        self.write_later("state", self._write)

    def close(self, state: State, reason: str, patience_s: float, **changes: Any) -> None:
        """Write the terminal state durably, giving up the reserve and waiting on a full disk.

        Raises:
            OSError: the disk stayed full for `patience_s` seconds.
        """
        self._owed.clear()
        self._advance(state, reason, changes)
        write_state(self._run, self._written, self.record, from_reserve=True, patience_s=patience_s)
        self._written = self.record.seq
        self._log(f"{state}: {reason}" if reason else str(state))

    def write_later(self, what: str, write: Callable[[], None]) -> None:
        """Write now, or when there is space again."""
        try:
            write()
        except OSError as error:
            if error.errno not in NO_SPACE:
                raise
            if what not in self._owed:
                self._log(f"disk full: {what} is written later")
            self._owed[what] = write
        else:
            self._owed.pop(what, None)

    def settle(self) -> None:
        """Try again what is owed, twice a second."""
        if self._owed and time.monotonic() >= self._next_try:
            self._next_try = time.monotonic() + RETRY_S
            for what, write in list(self._owed.items()):
                self.write_later(what, write)

    def _advance(self, state: State, reason: str, changes: dict[str, Any]) -> None:
        since = self.record.since if state is self.record.state else time.time()
        self.record = replace(
            self.record,
            state=state,
            reason=reason,
            seq=self.record.seq + 1,
            since=since,
            boot_id=boot_id(),
            **changes,
        )

    def _write(self) -> None:
        write_state(self._run, self._written, self.record)
        self._written = self.record.seq
