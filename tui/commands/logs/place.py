"""`PATH` or `HOST:PATH`: on which host a file lies, and its path there from the root on."""

import os
from collections.abc import Sequence
from pathlib import Path

from remote.hosts.host import LOCAL, Host
from remote.hosts.lookup import find_host, load_hosts
from remote.protocol.errors import CallError


def split_place(text: str, hosts: Sequence[Host] | None = None) -> tuple[Host, str]:
    """The host, and an absolute path or pattern there; a path that begins without `/` is of one's home there.

    A file of this machine that has a colon in its name is meant as itself.

    Raises:
        CallError: no such host, or no path behind it.
    """
    known = load_hosts() if hosts is None else hosts
    local = next((host for host in known if host.is_local and host.name == LOCAL.name), LOCAL)
    if text == "-":
        raise CallError("bad_request", "stdin cannot be opened: it is read once", "photinus read - prints it")
    if text.startswith(("/", "~", ".")) or ":" not in text or os.path.lexists(text):
        return local, _here(text)
    ends = [place for place, sign in enumerate(text) if sign == ":"]
    named = [text[:end] for end in ends if any(host.name == text[:end] for host in known)]
    name = max(named, key=len, default=text[: ends[0]])
    host, path = find_host(name, known), text[len(name) + 1 :]
    if not path:
        raise CallError("bad_request", f"{text!r} names no file of {name}", f"name one: {name}:PATH")
    if host.is_local:
        return host, _here(path)
    return host, path if path.startswith(("/", "~/")) else f"~/{path}"


def _here(text: str) -> str:
    """From the root on; `~` is the home of whoever types."""
    try:
        return os.path.abspath(Path(text).expanduser())  # noqa: PTH100  no link is resolved: its name is shown
    except RuntimeError as error:
        raise CallError("bad_request", f"{text!r}: {error}", "name the path in full") from error
