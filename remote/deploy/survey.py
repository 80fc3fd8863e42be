"""What the probe tells of a host, parsed once into frozen values; whatever a host answers, nothing else."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from remote.hosts.address import ssh_words
from remote.hosts.host import Host
from remote.hosts.placement import SAFE_PATH
from remote.protocol.errors import CallError, ProtocolError
from remote.protocol.messages import decode_object
from remote.protocol.sanitise import clean_line, clean_tree
from remote.protocol.views import checked
from remote.transport.find_python import NO_PYTHON, find_python
from remote.transport.login_shell import remedy_by_words
from trainer.run.disk.filesystems import from_mount_listing, from_mountinfo, is_network

PROBE = Path(__file__).parent / "on_host" / "probe.py"
PROBE_MAX = 8192
PROBE_S = 60.0
ANSWER_MAX = 256 << 10
MAGIC = b"photinus-probe-1 "
READ_ONLY, NO_EXEC = 1, 8  # of statvfs on Linux
FINDER = find_python('exec "$q" -I -')
"""Gives the probe to any Python 3."""


class ProbeRunner(Protocol):
    """The part of an SSH client that the probe needs."""

    def run(self, command: str, stdin: bytes = ..., timeout_s: float = ...) -> Any:
        """Run a command to its end; the answer has `code`, `out` and `err`. Raises OSError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPython:
    """An interpreter on the host.

    Attributes:
        packages: of those that we need: name -> version (`0` where it cannot be told).
        site: its folders of packages. tools: which of `venv`, `ensurepip`, `pip` it has.
        asked: it is the one that the host's `python:` names.
    """

    path: str
    version: tuple[int, ...]
    packages: Mapping[str, str]
    site: tuple[str, ...]
    tools: frozenset[str]
    asked: bool = False

    @property
    def label(self) -> str:
        """`3.9.6 (/usr/bin/python3)`."""
        return f"{'.'.join(map(str, self.version))} ({self.path})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """A host as the probe found it.

    Attributes:
        system: `linux` or `darwin`. arch: such as `x86_64` or `arm64`. libc: such as `glibc 2.36`.
        home: the state root, absolute. home_trouble, home_remedy: why it cannot be used; empty if it can.
        disk_free: bytes free there, for us. filesystem: its type there.
        driver: version of the NVIDIA driver, empty without. gpus: a line for each of its devices.
        uv: path of uv, empty without.
        kill_user_processes: logind would end what we leave running (and the user does not linger).
        unreadable: folders that may not be read (macOS: Full Disk Access).
        environments: hashes of environments that were deployed there, the newest first.
    """

    system: str
    release: str
    arch: str
    libc: str
    home: str
    home_trouble: str
    disk_free: int
    filesystem: str
    pythons: tuple[FoundPython, ...]
    driver: str
    gpus: tuple[str, ...]
    uv: str
    kill_user_processes: bool
    unreadable: tuple[str, ...]
    environments: tuple[str, ...]
    troubles: tuple[str, ...] = ()
    home_remedy: str = ""

    @property
    def mps(self) -> bool:
        """Whether it is Apple silicon."""
        return self.system == "darwin" and self.arch == "arm64"

    @property
    def platform(self) -> str:
        """What a binary package depends on."""
        return f"{self.system} {self.arch} {self.libc.split(' ')[0]}".strip()


def probe(client: ProbeRunner, host: Host, timeout_s: float = PROBE_S) -> Survey:
    """Look at `host`; nothing there is changed.

    Raises:
        OSError: the link broke, or the probe took longer than `timeout_s`.
        CallError: `refused`: there is no Python 3, or the answer makes no sense.
    """
    answer = client.run(FINDER, stdin=script(host), timeout_s=timeout_s)
    try:
        return parse(answer.out)
    except ProtocolError as error:
        if answer.out.strip().endswith(NO_PYTHON):
            raise CallError(
                "refused",
                f"{host.name} has no Python 3 that runs",
                "install Python 3.11 or newer there (apt-get install python3 python3-venv; brew install "
                "python@3.13; or uv python install 3.13)",
            ) from error
        words = ssh_words(host.address)
        output = clean_line((answer.err or answer.out)[-600:].decode("utf-8", "replace")).strip()
        raise CallError(
            "refused",
            f"{host.name} did not answer the probe (exit code {answer.code}): {error}"
            + (f"; it said: {output[-200:]}" if output else ""),
            # a restricted shell runs that very line, and nothing of ours
            (remedy_by_words(output, words) if "restricted" in output else "")
            or f"try: ssh {words} python3 --version",
        ) from error


def script(host: Host) -> bytes:
    """The probe as it is sent: what it is asked for is data in it, never words of a shell."""
    asked = {"home": host.home, "python": host.python}
    source = PROBE.read_bytes().replace(b"ASKED = {}", b"ASKED = " + json.dumps(asked).encode("ascii"), 1)
    if len(source) > PROBE_MAX + 2048:
        raise CallError(
            "bad_request", f"the settings of {host.name} are too long", "shorten home: or python:"
        )
    return source


def parse(out: bytes) -> Survey:
    """The survey in what the probe printed; what shells print around it is skipped.

    Raises:
        ProtocolError: there is none, or it is malformed; the message says what.
    """
    lines = [line for line in out[-ANSWER_MAX:].splitlines() if line.startswith(MAGIC)]
    if not lines:
        raise ProtocolError("no line of the probe in the answer")
    raw = clean_tree(decode_object(lines[-1][len(MAGIC) :]))
    if not isinstance(raw, dict):
        raise ProtocolError("the probe's answer is no object")
    root, graphics = _part(raw, "root"), _part(raw, "accelerators")
    login = _object(raw.get("login"))
    system = checked(raw, "system", (str,))
    home = checked(root, "path", (str,))
    filesystem = _filesystem(system, root, home)
    flags = root.get("flags")
    flags = flags if isinstance(flags, int) else 0
    if system == "darwin":
        flags &= READ_ONLY  # the others have other numbers there
    trouble, remedy = _home_trouble({**root, "flags": flags}, home, filesystem, checked(raw, "uid", (int,)))
    return Survey(
        system=system,
        release=checked(raw, "release", (str,)),
        arch=checked(raw, "arch", (str,)),
        libc=checked(raw, "libc", (str,)),
        home=home,
        home_trouble=trouble,
        home_remedy=remedy,
        disk_free=checked(root, "free", (int,)),
        filesystem=filesystem,
        pythons=tuple(_python(row) for row in _rows(raw, "pythons")[:32]),
        driver=checked(graphics, "driver", (str,)),
        gpus=_texts(graphics.get("gpus")),
        uv=checked(raw, "uv", (str,)),
        kill_user_processes=login.get("kills") is True and login.get("lingers") is not True,
        unreadable=_texts(raw.get("unreadable")),
        environments=_texts(root.get("envs")),
        troubles=_texts(raw.get("troubles")),
    )


def _python(raw: object) -> FoundPython:
    if not isinstance(raw, dict):
        raise ProtocolError("an interpreter must be an object")
    words = checked(raw, "version", (str,)).split(".")
    if not words or not all(word.isdecimal() and len(word) < 6 for word in words):
        raise ProtocolError("an interpreter's version is not made of numbers")
    packages = _object(raw.get("packages"))
    return FoundPython(
        path=checked(raw, "path", (str,)),
        version=tuple(map(int, words)),
        packages={str(name): str(version)[:64] for name, version in list(packages.items())[:32]},
        site=_texts(raw.get("site")),
        tools=frozenset(_texts(raw.get("tools"))),
        asked=raw.get("asked") is True,
    )


def _filesystem(system: str, root: Mapping[str, Any], home: str) -> str:
    rows, there = "\n".join(_texts(root.get("mounts"), 64)), Path(home)
    if system == "darwin":
        return from_mount_listing(rows, there)
    return from_mountinfo(rows, str(root.get("device", "")), there)


def home_setting(path: str) -> str:
    """How another state root is chosen, by every command that may ask for it."""
    return f"home: {path} for this host in hosts.yaml, or --home {path} while adding it"


def _home_trouble(root: Mapping[str, Any], home: str, filesystem: str, uid: int) -> tuple[str, str]:
    """Why the state root cannot be used, and the remedy."""
    elsewhere = f"name a folder on a local disk of yours: {home_setting('PATH')}"
    if is_network(filesystem):
        return f"{home} is on {filesystem}, where a lock does not exclude another machine", elsewhere
    if root["flags"] & READ_ONLY:
        return f"{home} is on a read-only file system ({filesystem})", elsewhere
    if root["flags"] & NO_EXEC:
        why = f"{home} is on a file system ({filesystem}) mounted noexec: no compiled package loads there"
        return why, f"name a folder where programs may run: {home_setting('PATH')}"
    if root.get("exists") is not True:
        can = root.get("writable") is True
        return ("", "") if can else (f"{home} cannot be made: no permission", elsewhere)
    if root.get("link") is True:
        real = root.get("real")
        real = real if isinstance(real, str) and SAFE_PATH.fullmatch(real) else "PATH"
        return f"{home} is a symbolic link", f"name the real folder: {home_setting(real)}"
    if root.get("owner") != uid:
        return f"{home} belongs to user {root.get('owner')}, not to you", elsewhere
    mode = root.get("mode")
    if not isinstance(mode, int) or mode & 0o077:
        return f"{home} is open to other users", f"run there: chmod 700 {shlex.quote(home)}"
    return "", ""


def _part(raw: Mapping[str, Any], name: str) -> dict[str, Any]:
    part = raw.get(name)
    if not isinstance(part, dict):
        troubles = "; ".join(_texts(raw.get("troubles")))
        raise ProtocolError(f"the probe could not read {name}{f' ({troubles})' if troubles else ''}"[:400])
    return part


def _rows(raw: Mapping[str, Any], name: str) -> list[Any]:
    rows = raw.get(name)
    return rows if isinstance(rows, list) else []


def _object(raw: object) -> Mapping[str, Any]:
    return raw if isinstance(raw, dict) else {}


def _texts(raw: object, most: int = 32) -> tuple[str, ...]:
    return tuple(item for item in raw[:most] if isinstance(item, str)) if isinstance(raw, list) else ()
