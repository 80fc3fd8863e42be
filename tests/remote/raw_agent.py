"""An agent spoken to by hand, so that a test can say what no session would."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from remote.protocol.messages import PROTO


class RawAgent:
    """`python -P -m remote.agent --stdio` with the test's PHOTINUS_HOME."""

    def __init__(self, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "remote.agent", "--stdio", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.stdin, self.stdout = self.process.stdin, self.process.stdout
        self._next = 0

    def say(self, verb: str, args: Mapping[str, Any] | None = None) -> int:
        self._next += 1
        self.say_line(json.dumps({"id": self._next, "verb": verb, "args": args or {}}).encode())
        return self._next

    def say_line(self, line: bytes) -> None:
        self.stdin.write(line + b"\n")
        self.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """The next line; raises EOFError at the end."""
        line = self.stdout.readline()
        if not line:
            raise EOFError("the agent is gone")
        message: dict[str, Any] = json.loads(line)
        if message.get("event") == "bytes":
            message["data"] = self.stdout.read(message["n"])
        return message

    def answer(self, request_id: int | None) -> dict[str, Any]:
        """The answer to a request; what is pushed before it is passed over."""
        while True:
            message = self.hear()
            if "event" not in message and message.get("id") == request_id:
                return message

    def ask(self, verb: str, args: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return self.answer(self.say(verb, args))

    def greet(self, proto: tuple[int, ...] = PROTO) -> dict[str, Any]:
        return self.ask("hello", {"proto": list(proto), "version": "0", "client": "test"})

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.stdin.close()
        self.process.kill()
        self.process.wait()
        self.stdout.close()
