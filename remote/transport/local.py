"""The link to this very machine: the same agent over a pipe, so there is one protocol and one code path."""

import contextlib
import os
import subprocess
import sys
from typing import IO, cast

from remote.hosts.host import Host
from remote.protocol.errors import CallError
from remote.transport.base import AgentExit
from trainer.run.run_errors import HomeError

READ_SIZE = 1 << 16
PARTING_S = 1.0


class LocalPipe:
    """An agent as our child, in a session of its own: Ctrl-C in the terminal is not meant for it.

    The agent owns no run, so ending it (by closing its stdin, else by a kill of our own child) loses nothing.
    """

    def __init__(self, host: Host) -> None:
        try:
            home = host.home_path()
        except HomeError as error:
            raise CallError("refused", str(error)) from error
        self._agent = subprocess.Popen(
            [host.python or sys.executable, "-P", "-m", "remote.agent", "--stdio"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd="/",
            env={**os.environ, "PHOTINUS_HOME": str(home)},
            start_new_session=True,
        )
        pipes = self._agent.stdin, self._agent.stdout, self._agent.stderr
        self._stdin, self._stdout, self._stderr = cast(tuple[IO[bytes], IO[bytes], IO[bytes]], pipes)

    @property
    def pid(self) -> int:
        """The agent's pid."""
        return self._agent.pid

    def read(self) -> bytes:
        """See `remote.transport.base.Transport`."""
        return _read(self._stdout)

    def talk(self) -> bytes:
        """See `remote.transport.base.Transport`."""
        return _read(self._stderr)

    def write(self, data: bytes) -> None:
        """See `remote.transport.base.Transport`."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._stdin.write(rest) or 0 :]

    def close(self) -> AgentExit:
        """See `remote.transport.base.Transport`."""
        with contextlib.suppress(OSError):
            self._stdin.close()
        try:
            code = self._agent.wait(PARTING_S)
        except subprocess.TimeoutExpired:
            self._agent.kill()
            code = self._agent.wait()
        if code < 0:
            return AgentExit(f"the agent was ended by signal {-code}")
        return AgentExit(f"the agent exited with code {code}", code)


def _read(pipe: IO[bytes]) -> bytes:
    """Some bytes; at the end the pipe is closed by the one thread that reads it."""
    data = pipe.read(READ_SIZE)
    if not data:
        pipe.close()
    return data or b""
