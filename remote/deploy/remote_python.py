"""Programs that the client sends to a host's Python, and the lines in which they answer.

    photinus-deploy {"say": "..."} | {"alive": 12.5} | {"done": {...}} | {"error": {"code": ..., ...}}

The command line is a constant; program and data go through stdin, where no shell reads them.
"""

import json
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from remote.hosts.placement import SAFE_PATH
from remote.protocol.errors import CallError, ProtocolError, known_code
from remote.protocol.messages import decode_object
from remote.protocol.sanitise import clean_line, clean_tree

PREFIX = b"photinus-deploy "
LINE_MAX = 1 << 16
TEXT_MAX = 400
SILENCE_S = 60.0
LONGEST_S = 4 * 3600.0
POLL_S = 0.2
QUIET = 3  # signs of life, 5 s each, after which one is told


class PythonRunner(Protocol):
    """The part of an SSH client that is needed to run a program and hear it while it runs."""

    def run(
        self,
        command: str,
        stdin: bytes = ...,
        timeout_s: float = ...,
        on_output: Callable[[bytes], None] | None = ...,
    ) -> Any:
        """Run a command to its end; the answer has `code`, `out` and `err`. Raises OSError."""


@dataclass(slots=True)
class Hearing:
    """How a program is listened to.

    Attributes:
        say: told each line of progress, on the thread of `perform`.
        gave_up: set from outside when nobody waits any more.
        silence_s: seconds without a sound after which the link is taken for lost.
        quiet: signs of life since the last line.
    """

    say: Callable[[str], None] = lambda _line: None
    gave_up: threading.Event = field(default_factory=threading.Event)
    silence_s: float = SILENCE_S
    quiet: int = 0


class GivenUp(CallError):  # noqa: N818  no error: the operator's own wish
    """Nobody waits for it any more."""

    def __init__(self) -> None:
        super().__init__("refused", "given up before it was done", "deploy again when you like")


def command_of(python: str) -> str:
    """What starts a host's Python on a program that comes through stdin.

    Raises:
        CallError: the path could mean something to a shell.
    """
    if not SAFE_PATH.fullmatch(python):
        raise CallError(
            "refused",
            f"the path of the host's Python has characters that a shell may read: {python!r}",
            "name another with `python:`",
        )
    return f"exec {python} -I -u -"


def call_text(module: bytes, function: str, **arguments: Any) -> bytes:
    """The text of a module with a call of one of its functions below it; the arguments travel as JSON."""
    return module + b"\n" + f"{function}(**json.loads({json.dumps(arguments)!r}))\n".encode("ascii")


@dataclass(frozen=True, slots=True)
class _Over:
    """The program has ended; `stderr` is the end of what it wrote there."""

    stderr: bytes


Sound: TypeAlias = bytes | BaseException | _Over


def perform(
    client: PythonRunner, python: str, program: bytes, hearing: Hearing | None = None
) -> dict[str, Any]:
    """Run a program on the host to its `done`, and return that.

    Raises:
        OSError: the link broke or fell silent; what runs on the host goes on and can be met again.
        GivenUp: `gave_up` was set.
        CallError: the program said why it cannot be done.
    """
    hearing, command = hearing or Hearing(), command_of(python)
    sounds: queue.SimpleQueue[Sound] = queue.SimpleQueue()

    def work() -> None:
        try:
            ran = client.run(command, stdin=program, timeout_s=LONGEST_S, on_output=sounds.put)
        except (OSError, CallError) as error:
            sounds.put(error)
        else:
            sounds.put(_Over(bytes(ran.err)[-TEXT_MAX:]))

    threading.Thread(target=work, name="photinus-perform", daemon=True).start()
    return _listen(sounds, hearing)


def _listen(sounds: "queue.SimpleQueue[Sound]", hearing: Hearing) -> dict[str, Any]:
    buffer, noise, silent_s = b"", b"", 0.0
    while True:
        try:
            sound = sounds.get(timeout=min(POLL_S, hearing.silence_s))
        except queue.Empty:
            silent_s += min(POLL_S, hearing.silence_s)
            if hearing.gave_up.is_set():
                raise GivenUp from None
            if silent_s >= hearing.silence_s:
                why = f"the host said nothing for {hearing.silence_s:g} s; deploy again to meet its work"
                raise OSError(why) from None
            continue
        if isinstance(sound, BaseException):
            raise sound
        if isinstance(sound, _Over):
            output = clean_line((noise + buffer + b" " + sound.stderr).decode("utf-8", "replace")).strip()
            raise OSError(
                f"the host's Python ended before its work was done{f': {output}' if output else ''}"
            )
        silent_s = 0.0
        *lines, buffer = (buffer + sound).split(b"\n")
        buffer = buffer[-LINE_MAX:]
        for line in lines:
            if not line.startswith(PREFIX):
                noise = (noise + line + b" ")[-TEXT_MAX:]
            elif (done := _take(line[len(PREFIX) :], hearing)) is not None:
                return done


def _take(line: bytes, hearing: Hearing) -> dict[str, Any] | None:
    try:
        raw = clean_tree(decode_object(line))
    except ProtocolError:
        return None
    if not isinstance(raw, dict):
        return None
    if isinstance(text := raw.get("say"), str):
        hearing.quiet = 0
        hearing.say(clean_line(text)[:TEXT_MAX])
    if isinstance(alive := raw.get("alive"), float):
        hearing.quiet += 1
        if hearing.quiet % QUIET == 0:
            hearing.say(f"still at work ({alive:.0f} s)")
    if isinstance(error := raw.get("error"), dict):
        raise _as_error(error)
    done = raw.get("done")
    return done if isinstance(done, dict) else None


def _as_error(raw: Mapping[str, Any]) -> CallError:
    texts = [
        clean_line(raw[key])[:2000] if isinstance(raw.get(key), str) else "" for key in ("message", "remedy")
    ]
    return CallError(known_code(str(raw.get("code"))), texts[0] or "the host refused", texts[1])
