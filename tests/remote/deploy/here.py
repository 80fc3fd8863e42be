"""This machine in place of a host: the same calls as of an SSH client, without SSH."""

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from remote.deploy.survey import FoundPython, Survey


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    out: bytes
    err: bytes


@dataclass
class Here:
    """Runs commands through a shell, as sshd does. `env`: of the login."""

    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    shell: Sequence[str] = ("/bin/sh", "-c")
    commands: list[str] = field(default_factory=list)

    def run(
        self,
        command: str,
        stdin: bytes = b"",
        timeout_s: float = 30.0,
        on_output: Callable[[bytes], None] | None = None,
    ) -> Ran:
        self.commands.append(command)
        done = subprocess.run(
            [*self.shell, command],
            input=stdin,
            capture_output=True,
            env=self.env,
            timeout=timeout_s,
            check=False,
        )
        if on_output is not None:
            on_output(done.stdout)
        return Ran(done.returncode, done.stdout, done.stderr)


@dataclass
class Canned:
    """Answers whatever it was given; `err`, `code` as of a command."""

    out: bytes
    code: int = 0
    err: bytes = b""

    def run(
        self,
        command: str,
        stdin: bytes = b"",
        timeout_s: float = 30.0,
        on_output: Callable[[bytes], None] | None = None,
    ) -> Ran:
        if on_output is not None:
            on_output(self.out)
        return Ran(self.code, self.out, self.err)


def python(version: str = "3.12.4", path: str = "/usr/bin/python3", **more: object) -> FoundPython:
    """An interpreter that lacks nothing."""
    values: dict[str, object] = {
        "path": path,
        "version": tuple(map(int, version.split("."))),
        "packages": {},
        "site": ("/usr/lib/python3/site-packages",),
        "tools": frozenset({"venv", "ensurepip", "pip"}),
    }
    return FoundPython(**(values | more))  # type: ignore[arg-type]


def survey(*pythons: FoundPython, **more: object) -> Survey:
    """A Linux host without an accelerator that lacks nothing."""
    values: dict[str, object] = {
        "system": "linux",
        "release": "Linux-6.1",
        "arch": "x86_64",
        "libc": "glibc 2.36",
        "home": "/home/ada/.photinus",
        "home_trouble": "",
        "disk_free": 100 * 10**9,
        "filesystem": "ext4",
        "pythons": pythons or (python(),),
        "driver": "",
        "gpus": (),
        "uv": "",
        "kill_user_processes": False,
        "unreadable": (),
        "environments": (),
    }
    return Survey(**(values | more))  # type: ignore[arg-type]
