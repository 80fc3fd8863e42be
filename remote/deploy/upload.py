"""Our wheel to the host: by SFTP under its hash, resumed by size, counted only once verified there."""

import contextlib
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from remote.deploy.remote_python import Hearing, PythonRunner, call_text, perform
from remote.deploy.wheel import Wheel
from remote.protocol.errors import CallError
from remote.transport.sftp import Sftp

STAGE = Path(__file__).parent / "on_host" / "stage.py"
CHUNK = 1 << 15
TRIES = 2


class Client(PythonRunner, Protocol):
    """An SSH client that also moves files."""

    def sftp(self) -> Sftp:
        """A new SFTP channel. Raises OSError."""


def upload(client: Client, python: str, home: str, wheel: Wheel, say: Callable[[str], None]) -> int:
    """Have the wheel in `home`/cas, verified by the host; the number of bytes that were sent for it.

    Raises:
        OSError: the link broke; the next upload goes on where this one ended.
        CallError: the state root cannot be used, or what arrives is never what was sent.
    """
    stage, sent = STAGE.read_bytes(), 0
    for _ in range(TRIES):
        there = perform(client, python, call_text(stage, "prepare", home=home, sha256=wheel.sha256))
        if there.get("there") is True:
            say(f"{wheel.name} is on the host already")
            return sent
        size = there.get("size")
        offset = size if isinstance(size, int) and 0 <= size <= len(wheel.data) else 0
        again = f", from byte {offset:,}" if offset else ""
        say(f"sending {wheel.name} ({len(wheel.data) / 1e6:.1f} MB{again})")
        try:
            sent += send(client, f"{home}/cas/{wheel.sha256}.whl.part", wheel.data, offset)
        except FileNotFoundError:  # accepted in this moment, of another client's bytes
            continue
        done = perform(client, python, call_text(stage, "accept", home=home, sha256=wheel.sha256))
        if done.get("good") is True:
            return sent
        say("what arrived is not what was sent; once more")
    raise CallError("internal", "the wheel arrives damaged on the host", "check its disk, then deploy again")


def send(client: Client, path: str, data: bytes, offset: int) -> int:
    """Write `data` from `offset` on into `path`; the number of bytes.

    The file is never truncated: another client may be writing the very same bytes into it.
    """
    sftp = client.sftp()
    try:
        with contextlib.suppress(OSError):  # it is there already
            sftp.open(path, "wx").close()
        file = sftp.open(path, "r+")
        try:
            file.set_pipelined(True)
            file.seek(offset)
            for begin in range(offset, len(data), CHUNK):
                file.write(data[begin : begin + CHUNK])
        finally:
            file.close()
    finally:
        sftp.close()
    return len(data) - offset


def ask_to_stop(client: Client, python: str, home: str, token: str) -> None:
    """Have the build of that token ended; what goes wrong is not worth a word."""
    with contextlib.suppress(OSError, CallError):
        hearing = Hearing(silence_s=5.0)
        perform(client, python, call_text(STAGE.read_bytes(), "stop", home=home, token=token), hearing)


def bring_wheels(client: Client, home: str, folder: Path, say: Callable[[str], None]) -> str:
    """The wheels of a folder here, brought into one below `home`/cas; its path. The build removes it.

    Raises:
        OSError: the link broke.
        CallError: there are none, or the host offers no SFTP.
    """
    wheels = sorted(folder.glob("*.whl"))
    if not wheels:
        raise CallError("bad_request", f"there is no wheel in {folder}", "fill it with `pip download`")
    total = sum(wheel.stat().st_size for wheel in wheels)
    say(f"bringing {len(wheels)} wheels ({total / 1e6:,.1f} MB)")
    there = f"{home}/cas/brought-{secrets.token_hex(8)}"
    sftp = client.sftp()
    try:
        sftp.mkdir(there, 0o700)
        for wheel in wheels:
            with wheel.open("rb") as file:
                chunks = iter(lambda: file.read(CHUNK), b"")
                sftp.write_stream(f"{there}/{wheel.name}", 0, chunks)
    finally:
        sftp.close()
    return there
