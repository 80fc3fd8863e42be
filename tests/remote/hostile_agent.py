"""A host that answers what it is asked, and lies in a good part of its answers: frames, events, names."""

import json
import queue
import random
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from remote.protocol.messages import MAGIC
from remote.transport.base import AgentExit
from tests.remote.hostile_host import EVIL, WAYS
from tests.tui import forged
from tests.tui.fake import HELLO, WALL, view

RUN_ID = "demo-aaaaaa"
NASTY = tuple(text for text in EVIL if "\ud800" not in text)  # a torn character ends the whole link
LINES = [f"{line}\n" for line in (*forged.lines(), *forged.absurd())]


class HostileAgent:
    """A transport. `answered` counts exchanges; at `most` of them it hangs up for good."""

    def __init__(self, seed: int, most: int) -> None:
        self._rng, self._most = random.Random(seed), most
        self._said: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._said.put(MAGIC)
        self._held, self._offset = b"", 0
        self.answered = 0

    def read(self) -> bytes:
        return self._said.get()

    def talk(self) -> bytes:
        return b""

    def write(self, data: bytes) -> None:
        *lines, self._held = (self._held + data).split(b"\n")
        for line in lines:
            self.answered += 1
            self._said.put(b"" if self.answered > self._most else self._answer(json.loads(line)))

    def close(self) -> AgentExit:
        self._said.put(b"")
        return AgentExit("it was hostile", 0)

    def _answer(self, request: dict[str, Any]) -> bytes:
        make = RESULTS.get(request["verb"], _nothing)
        result = make(self._rng)
        said = json.dumps({"id": request["id"], "ok": True, "result": result}).encode() + b"\n"
        if request["verb"] in ("tail", "events"):
            said += self._frame(request["verb"])
        if self.answered > 4 and self._rng.random() < 0.3:  # first it is believed
            said = self._rng.choice(WAYS)(said, self._rng)
        return said + (b"\n" if self._rng.random() < 0.05 else b"")

    def _frame(self, verb: str) -> bytes:
        """Bytes of a file: events that are forged, or a log that never ends a line."""
        rng = self._rng
        text = "".join(rng.choices(LINES, k=60)) if verb == "events" else rng.choice(EVIL) * 400
        data = text.encode("utf-8", "replace")[: 1 << 18]
        head = {"event": "bytes", "stream": 1, "run": RUN_ID, "what": verb, "file": rng.choice(EVIL)[:200]}
        head |= {"gen": 1, "off": self._offset, "n": len(data)}
        self._offset += len(data)
        line = json.dumps(head).encode() + b"\n" + data
        end = json.dumps({"event": "eof", "stream": 1, "run": RUN_ID, "reason": rng.choice(EVIL)[:200]})
        return line + end.encode() + b"\n"


def _nothing(_rng: random.Random) -> dict[str, Any]:
    return {}


def _hello(_rng: random.Random) -> dict[str, Any]:
    return asdict(HELLO) | {"proto": list(HELLO.proto), "devices": ["cpu"]}


def _runs(rng: random.Random) -> dict[str, Any]:
    rows = [view(f"run{n}-aaaaaa").to_json() for n in range(rng.choice((0, 1, 30)))]
    rows += [view(name=rng.choice(NASTY)[:900], reason=rng.choice(NASTY)[:900]).to_json()]
    return {
        "runs": rows,
        "wall": WALL,
        "left_out": rng.choice((0, 0, 5)),
        "troubles": [rng.choice(EVIL)[:400]],
    }


def _stream(_rng: random.Random) -> dict[str, Any]:
    return {"stream": 1, "cursor": {"gen": 1, "file": "001.log", "offset": 0}, "behind": 0}


RESULTS: dict[str, Callable[[random.Random], dict[str, Any]]] = {
    "hello": _hello,
    "runs": _runs,
    "run": lambda _rng: view().to_json() | {"wall": WALL, "spec": {}, "checkpoints": [], "process": None},
    "ping": lambda rng: {"n": rng.randrange(9), "wall": WALL},
    "telemetry": lambda rng: {"cpu_percent": rng.choice((1.0, 1e308, -1, None, "x"))},
    "tail": _stream,
    "events": _stream,
    "processes": lambda _rng: {"processes": [], "locks": []},
    "audit": lambda _rng: {"entries": [], "malformed": 0},
}
