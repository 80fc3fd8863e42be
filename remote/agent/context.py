"""What every verb of one agent works with."""

import contextlib
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from remote.agent.audit import Auditor
from remote.agent.kept.gone import demand_here
from remote.agent.run_index import RunIndex
from remote.agent.run_views import Views
from remote.agent.sampler import Sampler
from remote.protocol.errors import CallError
from remote.protocol.views import RunView
from remote.readings.devices import devices
from trainer.run.home import Home
from trainer.run.layout import RunDir
from trainer.run.run_errors import SpecError


def disk_free(path: Path) -> int:
    """Free bytes of the file system under `path`."""
    return shutil.disk_usage(path).free


@dataclass
class Context:
    """One agent's view of its host.

    Attributes:
        index: which runs are live, and what is known of those that are over.
        devices: what a run may name as its device here.
        held_max_s: longest time that agent.lock was held by this agent.
        sampler: of telemetry; None until somebody asks for some.
        hello_s: how long a start waits for the trainer's first word.
        lock_s: how long a start retries a lock whose holder is not known to be a run.
    """

    home: Home
    views: Views
    index: RunIndex
    audit: Auditor
    epoch: str = field(default_factory=lambda: secrets.token_hex(8))
    disk_free: Callable[[Path], int] = disk_free
    devices: Callable[[], list[str]] = devices
    hello_s: float = 10.0
    lock_s: float = 1.0
    held_max_s: float = 0.0
    sampler: Sampler | None = None

    @classmethod
    def of(cls, home: Home) -> "Context":
        """A context of an opened home."""
        return cls(home, Views(home), RunIndex(home), Auditor(home))

    @contextmanager
    def critical(self) -> Iterator[None]:
        """Hold agent.lock, briefly: never across a wait, the network or a checkpoint's bytes."""
        with self.home.agent_section():
            taken = time.monotonic()
            try:
                yield
            finally:
                self.held_max_s = max(self.held_max_s, time.monotonic() - taken)

    def run(self, run_id: str) -> RunDir:
        """The folder of a run that exists.

        Raises:
            CallError: `not_found`.
        """
        with contextlib.suppress(SpecError):  # what is no run id names no run
            run = self.home.run(run_id)
            if self.views.state(run) is not None:
                return run
        demand_here(self.home, run_id)
        raise CallError("not_found", f"no run {run_id} on this host", "photinus ls shows the runs of a host")

    def check_room(self, need: int) -> None:
        """See that what is sent fits below the state root; `need` in bytes.

        Raises:
            CallError: `disk_low`.
        """
        free = self.disk_free(self.home.root)
        if free < need:
            raise CallError(
                "disk_low",
                f"{free / 1e6:,.0f} MB are free on the host and {need / 1e6:,.0f} MB are needed",
                "free some space there",
                {"free": free, "need": need},
            )

    def view(self, run: RunDir) -> RunView:
        """The run as its files tell it now.

        Raises:
            CallError: `not_found`: it has no state.
        """
        view = self.views.view(run)
        if view is None:
            raise CallError(
                "not_found", f"no run {run.run_id} on this host", "photinus ls shows the runs of a host"
            )
        return view
