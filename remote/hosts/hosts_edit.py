"""Changing hosts.yaml as text: comments, order and style stay; what would touch more is refused."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import yaml
from filelock import FileLock, Timeout

from remote.hosts.client_state import make_client_folder
from remote.hosts.host import LOCAL, Host
from remote.hosts.hosts_file import HostEntry, entries, hosts_path, parse_hosts, read_text
from remote.protocol.errors import CallError
from trainer.config.config_error import ConfigError
from trainer.run.disk.atomic import write_bytes

LOCK_S = 10.0
HEAD = "# Hosts that Photinus reaches: docs/hosts.md names every setting. `local` is always there.\n"


def stanza(host: Host, indent: str = "") -> str:
    """A host as it is written: its name, its address, and what is not as usual."""
    settings = _unusual_settings(host)
    lines = [f"{_scalar(host.name)}:", *(f"  {key}: {_scalar(value)}" for key, value in settings)]
    if not settings:
        lines = [f"{_scalar(host.name)}: {{}}"]
    return "".join(f"{indent}{line}\n" for line in lines)


def _one_line(host: Host) -> str:
    pairs = ", ".join(f"{key}: {_scalar(value)}" for key, value in _unusual_settings(host))
    return f"{_scalar(host.name)}: {{{pairs}}}"


def _unusual_settings(host: Host) -> list[tuple[str, object]]:
    usual = Host(host.name)
    names = [field.name for field in fields(Host) if field.name != "name"]
    return [(name, getattr(host, name)) for name in names if getattr(host, name) != getattr(usual, name)]


def with_hosts(text: str, hosts: list[Host], where: str) -> str:
    """The text with these hosts at its end.

    Raises:
        ConfigError: the text is at fault already.
        CallError: a host of that name is there, or the text is laid out so that nothing can be added to it.
    """
    known = parse_hosts(text, where)
    there = entries(text, where)
    names = {str(entry.name).lower() for entry in there}
    for host in hosts:
        if host.name.lower() in names:
            raise CallError(
                "bad_request",
                f"{host.name} is in {where} already",
                f"edit it there, or `photinus hosts remove {host.name}` first",
            )
    indent = " " * there[0].key.start_mark.column if there else ""
    kept = text or HEAD
    changed = kept + ("" if kept.endswith("\n") else "\n") + "".join(stanza(host, indent) for host in hosts)
    by_hand = CallError(
        "bad_request",
        f"{where} is laid out so that nothing can be added at its end",
        f"add it by hand: {', '.join(_one_line(host) for host in hosts)}",
    )
    return _proven(changed, where, by_hand, [*known, *hosts])


def without_host(text: str, name: str, where: str) -> str:
    """The text without the host of that name; comments outside its lines stay.

    Raises:
        ConfigError: the text is at fault already.
        CallError: there is no such host, or its lines hold more than it.
    """
    known = parse_hosts(text, where)
    there = entries(text, where)
    found = next((entry for entry in there if entry.name == name), None)
    if found is None:
        raise CallError("not_found", f"{where} has no host {name!r}", "photinus hosts list")
    lines = text.splitlines(keepends=True)
    first, last = found.line - 1, _last_line(found)
    column = found.key.start_mark.column
    while last + 1 < len(lines) and _is_inner_comment(lines[last + 1], column):
        last += 1
    by_hand = CallError(
        "bad_request",
        f"{name} cannot be cut out of {where} without touching something else",
        f"take it out by hand: it begins in line {found.line}",
    )
    if any(entry is not found and first <= entry.line - 1 <= last for entry in there):
        raise by_hand
    changed = "".join(lines[:first] + lines[last + 1 :])
    left = [host for host in known if host.name not in (name, LOCAL.name)]
    local = [LOCAL] if name == LOCAL.name else known[:1]
    return _proven(changed, where, by_hand, [*local, *left])


def add_hosts(hosts: list[Host], path: Path | None = None) -> Path:
    """Write these hosts to the end of hosts.yaml, which is made if need be (mode 0600).

    Raises:
        ConfigError, CallError: see `with_hosts`.
        OSError: it cannot be written.
    """
    return _change(lambda text, where: with_hosts(text, hosts, where), path)


def remove_host(name: str, path: Path | None = None) -> Path:
    """Take a host out of hosts.yaml.

    Raises:
        ConfigError, CallError: see `without_host`.
        OSError: it cannot be written.
    """
    return _change(lambda text, where: without_host(text, name, where), path)


def _change(change: Callable[[str, str], str], path: Path | None) -> Path:
    path = (path or hosts_path()).resolve()  # a link into somebody's dotfiles stays a link
    with _alone():
        text = change(read_text(path), str(path))
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_bytes(path, text.encode())
    return path


@contextmanager
def _alone() -> Iterator[None]:
    lock = FileLock(make_client_folder() / "hosts.lock", mode=0o600)
    try:
        lock.acquire(timeout=LOCK_S, poll_interval=0.01)
    except Timeout:
        raise CallError("timeout", "another photinus is changing hosts.yaml", "try again") from None
    try:
        yield
    finally:
        lock.release()


def _proven(text: str, where: str, by_hand: CallError, hosts: list[Host]) -> str:
    """The changed text, if it says exactly what it was changed to say."""
    try:
        now = parse_hosts(text, where)
    except ConfigError:
        raise by_hand from None
    if now != hosts:
        raise by_hand
    return text


def _last_line(entry: HostEntry) -> int:
    """Index of the last line that has something of the entry; PyYAML counts the blank lines after a block."""
    line = int(entry.key.start_mark.line)
    stack: list[yaml.Node] = [entry.value]
    while stack:
        node = stack.pop()
        if isinstance(node, yaml.MappingNode) and not node.flow_style:
            stack += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode) and not node.flow_style:
            stack += node.value
        elif node.end_mark.index > node.start_mark.index:  # an empty value lies where the next thing begins
            line = max(line, int(node.end_mark.line) - (node.end_mark.column == 0))
    return line


def _is_inner_comment(line: str, column: int) -> bool:
    bare = line.lstrip(" ")
    return bare.startswith("#") and len(line) - len(bare) > column


def _scalar(value: object) -> str:
    """A value as YAML that reads back as itself, on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=1 << 20, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")
