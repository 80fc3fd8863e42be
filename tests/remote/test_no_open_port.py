"""Nothing of ours listens: a client, its agent and a supervisor have pipes and files, and no port."""

import os
import socket
from pathlib import Path

from remote.session.session import Session
from tests.remote.calling import call
from tests.remote.conftest import pids_of
from tests.remote.scripts import spec

LISTENING = "0A"


def listening(pids: list[int]) -> set[str]:
    """Addresses, as the kernel writes them, on which any of these processes listens over TCP."""
    ours = set()
    for pid in pids:
        ours |= {str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.is_symlink()}
    rows = (line.split() for table in ("tcp", "tcp6") for line in _rows(table))
    return {row[1] for row in rows if row[3] == LISTENING and f"socket:[{row[9]}]" in ours}


def _rows(table: str) -> list[str]:
    path = Path("/proc/net", table)
    return path.read_text().splitlines()[1:] if path.exists() else []


def test_neither_client_nor_agent_nor_supervisor_listens(home: Path, session: Session) -> None:
    one = spec()
    call(session, "start", {"start_id": "s1", "spec": one.to_json()}, 20.0)
    assert session.hello is not None
    pids = pids_of(home)
    assert session.hello.pid in pids
    assert len(pids) >= 3, "the agent, the supervisor and what it runs"
    before = listening([os.getpid()])
    assert listening(pids) == set()
    with socket.create_server(("127.0.0.1", 0)):
        assert len(listening([os.getpid()]) - before) == 1, "the control"
