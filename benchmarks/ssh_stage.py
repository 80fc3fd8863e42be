"""A real sshd on the loopback for the benchmarks over SSH, and a laptop that knows it: `tests/sshd`'s."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from remote.actions import StartRequest, start_run
from remote.hosts.host import Host
from remote.session.session import Session
from remote.session.updates import Bytes
from tests.sshd.client import Laptop
from tests.sshd.needs import lacking_for_sshd
from tests.sshd.processes import end_marked
from tests.sshd.server import Sshd


@dataclass(frozen=True, slots=True)
class SshStage:
    """One server, one user, one placed host."""

    folder: Path
    sshd: Sshd
    host: Host

    @property
    def root(self) -> Path:
        """The state root on the host."""
        return self.sshd.home("plain") / ".photinus"

    def another(self, name: str, port: int = 0) -> Host:
        """The same machine under another name and with a state root of its own, or over another port."""
        host = self.sshd.host("plain", name, port=port)
        self.sshd.place(host, self.sshd.home("plain") / name)
        return host

    def log(self, run_id: str, root: Path | None = None) -> Path:
        """The log of a run's first attempt, on the host's disk."""
        return (root or self.root) / "runs" / run_id / "log" / "001.log"


@contextlib.contextmanager
def ssh_stage() -> Iterator[SshStage]:
    """Where no sshd can be had: say so and leave with nothing measured."""
    if lack := lacking_for_sshd():
        sys.stderr.write(f"not measured: {lack}\n")
        raise SystemExit(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        laptop = Laptop(folder)
        os.environ.update(laptop.env)
        sshd = Sshd.start(folder, laptop=laptop)
        host = sshd.host("plain", "box")
        sshd.place(host)
        try:
            yield SshStage(folder, sshd, host)
        finally:
            sshd.close()
            end_marked(f"PHOTINUS_HOME={laptop.root}")


def script(session: Session, name: str, program: str) -> str:
    """Start a Python one-liner on the host; the run's id."""
    argv = (sys.executable, "-I", "-S", "-c", program)
    outcome = start_run(session, StartRequest(name=name, kind="command", argv=argv, shared_device=True))
    assert outcome.run is not None, outcome.message
    return outcome.run.run_id


def bytes_of(session: Session) -> bytes:
    """What a drain brings of followed files."""
    return b"".join(update.data for update in session.drain() if isinstance(update, Bytes))
