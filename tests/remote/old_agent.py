"""An agent of the version before: protocol 1.0, no `find`, no `files`, `runs` in one answer."""

import json
from typing import Any

from remote.hosts.host import Host
from remote.transport.base import AgentExit, ConnectAttempt
from remote.transport.local import LocalPipe

LATER = {
    "hello": (),
    "runs": ("next", "live", "finished", "troubled"),
    "tail": ("before",),
    "events": ("before",),
}
LATER_OF_A_RUN = ("place", "ahead", "step")


class OldAgent:
    """A real agent of today behind a pipe that takes away what is new, and refuses what was unknown."""

    def __init__(self, host: Host, _dial: ConnectAttempt | None = None) -> None:
        self._pipe = LocalPipe(host)
        self._asked: dict[int, str] = {}
        self._refusals = bytearray()
        self._rest = b""
        self.verbs: list[str] = []

    def write(self, data: bytes) -> None:
        for line in data.splitlines(keepends=True):
            request = json.loads(line)
            verb, number = request["verb"], request["id"]
            self.verbs.append(verb)
            self._asked[number] = verb
            if verb in ("find", "files"):
                self._refuse(number, "unknown_verb", f"unknown verb {verb!r}")
                line = json.dumps({"id": 1 << 50, "verb": "ping", "args": {"n": 0}}).encode() + b"\n"
            elif verb == "runs" and request["args"]:
                self._refuse(number, "bad_request", "runs: unknown argument: 'finished'")
                line = json.dumps({"id": 1 << 50, "verb": "ping", "args": {"n": 0}}).encode() + b"\n"
            self._pipe.write(line)

    def read(self) -> bytes:
        data = self._pipe.read()
        if not data:
            return b""
        *lines, self._rest = (self._rest + data).split(b"\n")
        heard = b"".join(self._older(line) + b"\n" for line in lines) + bytes(self._refusals)
        self._refusals.clear()
        return heard or b"\n"

    def talk(self) -> bytes:
        return self._pipe.talk()

    def close(self) -> AgentExit:
        return self._pipe.close()

    def _refuse(self, number: int, code: str, message: str) -> None:
        error = {"code": code, "message": message, "remedy": "", "detail": {}}
        self._refusals += json.dumps({"id": number, "error": error}).encode() + b"\n"

    def _older(self, line: bytes) -> bytes:
        message: dict[str, Any] = json.loads(line)
        result, verb = message.get("result"), self._asked.get(message.get("id") or 0, "")
        if not isinstance(result, dict):
            return line
        if verb == "hello":
            result["proto"] = [1, 0]
        for name in LATER.get(verb, ()):
            result.pop(name, None)
        for row in result.get("runs", [result]) if isinstance(result.get("runs", []), list) else []:
            for name in LATER_OF_A_RUN:
                row.pop(name, None)
        return json.dumps(message).encode()
