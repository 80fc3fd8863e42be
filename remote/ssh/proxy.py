"""ProxyCommand: a program of the user's configuration, run only after its very text was confirmed once."""

import hashlib
import os
import socket
import subprocess
import threading
from collections import deque
from typing import IO

from remote.hosts.client_state import client_folder, make_client_folder, read_own
from remote.protocol.errors import Question, QuestionError
from remote.ssh.config.effective import Target
from remote.ssh.deadline import Deadline
from remote.transport.base import Answers

LAST_WORD_S = 0.5
KEPT_LINES = 3


class ProxySocket(socket.socket):
    """Our end of a running ProxyCommand; the command ends with it."""

    def __init__(self, end: socket.socket, child: "subprocess.Popen[bytes]") -> None:
        super().__init__(end.family, end.type, end.proto, end.detach())
        self._child: subprocess.Popen[bytes] | None = child
        self._last_words: deque[str] = deque(maxlen=KEPT_LINES)
        assert child.stderr is not None
        self._listener = threading.Thread(
            target=self._listen, args=(child.stderr,), name="photinus-proxy", daemon=True
        )
        self._listener.start()

    def last_words(self) -> str:
        """The last lines of its stderr (the cause is seldom the very last); waits a moment for its end."""
        self._listener.join(LAST_WORD_S)
        return " | ".join(self._last_words)

    def close(self) -> None:
        """Close our end; the command then ends, or is ended."""
        super().close()
        child, self._child = self._child, None
        if child is not None:
            child.terminate()
            threading.Thread(target=_bury, args=(child,), name="photinus-proxy", daemon=True).start()

    def _listen(self, stderr: IO[bytes]) -> None:
        with stderr:
            for line in stderr:
                if text := line.decode("utf-8", "replace").strip()[:200]:
                    self._last_words.append(text)


def confirmed_proxy(target: Target, answers: Answers, deadline: Deadline) -> ProxySocket:
    """The byte stream of a target's ProxyCommand.

    Raises:
        QuestionError: `proxy_unconfirmed`: the operator has not seen this command yet.
        OSError: it cannot be started.
    """
    deadline.begin("tcp via ProxyCommand")
    command = target.proxy_command
    digest = hashlib.sha256(command.encode()).hexdigest()
    if digest not in _confirmed():
        if digest not in answers.accepted_proxies:
            raise QuestionError(
                "proxy_unconfirmed",
                f"to reach {target.alias}, your ssh configuration runs a program on this machine: {command}",
                "confirm it once, or take ProxyCommand out of ~/.ssh/config",
                Question("proxy_command", target.alias, command, fingerprint=digest),
            )
        _remember(digest, command)
    return _start(command)


def _start(command: str) -> ProxySocket:
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            child = subprocess.Popen(
                [os.environ.get("SHELL") or "/bin/sh", "-c", f"exec {command}"],  # as OpenSSH does
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
    except OSError:
        ours.close()
        raise
    return ProxySocket(ours, child)


def _confirmed() -> set[str]:
    lines = read_own(client_folder("proxy_commands")).splitlines()
    return {line.split(" ", 1)[0] for line in lines}


def _remember(digest: str, command: str) -> None:
    """One line a command, its hash first: the text behind it is for people."""
    path = make_client_folder() / "proxy_commands"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(handle, f"{digest} {' '.join(command.split())}\n".encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def _bury(child: "subprocess.Popen[bytes]") -> None:
    try:
        child.wait(2.0)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
