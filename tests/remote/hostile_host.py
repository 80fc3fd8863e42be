"""A host that lies: a recorded conversation of a real agent, and mutations of it."""

import json
import queue
import random
import threading
from collections.abc import Callable
from typing import Any

from remote.hosts.host import Host
from remote.protocol.messages import MAGIC
from remote.transport.base import AgentExit, ConnectAttempt
from remote.transport.local import LocalPipe

EVIL = (
    "\x1b]0;owned\x07", "\x1b[2J\x1b[31m", "\x9b1m", "\u202etxt.exe", "\u200b\u2066", "\x00", "\r\n", "\x7f",
    "\ud800", "[bold red]x[/]", "$(touch pwned)", "`touch pwned`", "; touch pwned", "../../etc/passwd",
    "-oProxyCommand=x", "x" * 5000, "\U000e0041", "\ufeff", "NaN",
)  # fmt: skip
ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1 << 63,
    1 << 70,
    1e308,
    0.5,
    "",
    [],
    {},
    [[]],
    {"a": {}},
    *EVIL,
)


class Recorder:
    """A transport to a real local agent that keeps everything the agent says."""

    def __init__(self, host: Host) -> None:
        self._pipe = LocalPipe(host)
        self.heard = bytearray()

    def read(self) -> bytes:
        data = self._pipe.read()
        self.heard += data
        return data

    def talk(self) -> bytes:
        return self._pipe.talk()

    def write(self, data: bytes) -> None:
        self._pipe.write(data)

    def close(self) -> AgentExit:
        return self._pipe.close()


class Script:
    """A transport that says what it was given, in pieces, and ends."""

    def __init__(self, said: bytes, talk: bytes, pieces: int) -> None:
        self._said: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        step = max(1, -(-len(said) // pieces))
        for start in range(0, len(said), step):
            self._said.put(said[start : start + step])
        self._said.put(b"")
        self._talk = [b"", talk]
        self._lock = threading.Lock()

    def read(self) -> bytes:
        return self._said.get()

    def talk(self) -> bytes:
        with self._lock:
            return self._talk.pop() if self._talk else b""

    def write(self, data: bytes) -> None:
        pass

    def close(self) -> AgentExit:
        self._said.put(b"")
        return AgentExit("it was a script", 0)


class Liar:
    """An opener whose every connection tells another lie; `honest` is what it tells when `count` are told."""

    def __init__(self, honest: bytes, count: int, seed: int) -> None:
        self._honest, self._rng = honest, random.Random(seed)
        self._left = count
        self.told = 0
        self.done = threading.Event()

    def __call__(self, host: Host, dial: ConnectAttempt) -> Script:
        if self._left == 0:
            self.done.set()
            raise OSError("all lies are told")
        self._left -= 1
        self.told += 1
        rng = self._rng
        return Script(
            mutate(self._honest, rng), rng.choice(EVIL).encode("utf-8", "surrogatepass"), rng.randrange(1, 9)
        )


def mutate(said: bytes, rng: random.Random) -> bytes:
    """One of the ways in which a host can be wrong."""
    way: Callable[[bytes, random.Random], bytes] = rng.choice(WAYS)
    mutated = way(said, rng)
    return _flip(mutated, rng) if rng.random() < 0.2 else mutated


def _flip(said: bytes, rng: random.Random) -> bytes:
    data = bytearray(said)
    for _ in range(rng.randrange(1, 8)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


def _cut(said: bytes, rng: random.Random) -> bytes:
    return said[: rng.randrange(len(said))]


def _splice(said: bytes, rng: random.Random) -> bytes:
    a, b = sorted(rng.randrange(len(said)) for _ in range(2))
    return said[:b] + said[a:]


def _insert(said: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(said))
    return said[:at] + rng.choice(EVIL).encode("utf-8", "surrogatepass") + said[at:]


def _deep(said: bytes, rng: random.Random) -> bytes:
    depth = rng.choice((20, 2000, 100_000))
    return _after_a_line(said, b'{"id":1,"ok":true,"result":' + b"[" * depth + b"]" * depth + b"}\n", rng)


def _long(said: bytes, rng: random.Random) -> bytes:
    return _after_a_line(said, b'{"event":"' + b"x" * rng.choice((1 << 19, 3 << 20)) + b'"}\n', rng)


def _frame(said: bytes, rng: random.Random) -> bytes:
    head = {
        "event": "bytes",
        "stream": rng.choice(ODD),
        "run": rng.choice(ODD),
        "what": "log",
        "file": rng.choice(ODD),
    }
    head |= {
        "gen": rng.choice((1, *ODD)),
        "off": rng.choice((0, *ODD)),
        "n": rng.choice((0, 5, 1 << 20, *ODD)),
    }
    return _after_a_line(said, json.dumps(head).encode() + b"\nhello", rng)


def _twist(said: bytes, rng: random.Random) -> bytes:
    """One value somewhere in one message becomes another kind of value."""
    lines = said.split(b"\n")
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(lines))
        try:
            message = json.loads(lines[at])
        except ValueError:
            continue
        lines[at] = json.dumps(_twisted(message, rng)).encode()
    return b"\n".join(lines)


def _twisted(value: object, rng: random.Random) -> object:
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(sorted(value))
        if rng.random() < 0.1:
            return {name: one for name, one in value.items() if name != key}
        return {**value, key: _twisted(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.8:
        at = rng.randrange(len(value))
        return [*value[:at], _twisted(value[at], rng), *value[at + 1 :]]
    return rng.choice(ODD)


def _after_a_line(said: bytes, more: bytes, rng: random.Random) -> bytes:
    ends = [at + 1 for at, byte in enumerate(said) if byte == 10]
    at = rng.choice(ends)
    return said[:at] + more + said[at:]


def _noise(said: bytes, rng: random.Random) -> bytes:
    return rng.randbytes(rng.choice((10, 1000, 70_000))) + said


def _nothing_of_it(said: bytes, rng: random.Random) -> bytes:
    return MAGIC * rng.randrange(2) + rng.randbytes(rng.randrange(3000))


WAYS = (
    _flip,
    _cut,
    _splice,
    _insert,
    _deep,
    _long,
    _frame,
    _twist,
    _twist,
    _twist,
    _twist,
    _noise,
    _nothing_of_it,
)
