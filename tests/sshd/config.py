"""sshd_config of a test's server: its users, their environment, no system files."""

import functools
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.sshd.needs import program

MARK = "PHOTINUS_TEST_SSHD"
HOST_PATH = f"{sys.base_prefix}/bin:/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True, slots=True)
class User:
    """An account on the server.

    Attributes:
        bashrc: its `~/.bashrc`, which bash reads in every session over SSH.
        shell: its login shell; one that does not exist is refused by sshd, as anywhere.
        env: what sshd puts into its sessions, such as PATH; unset: a PATH with this Python's base in it.
    """

    name: str
    bashrc: str = ""
    shell: str = "/bin/bash"
    env: Mapping[str, str] = field(default_factory=dict)


def write_config(
    folder: Path, users: Iterable[User], options: Mapping[str, str], address: str, port: int
) -> None:
    """Write `folder / "sshd_config"`; `options` win over what we would say."""
    lines = {**_defaults(folder), **options, "ListenAddress": address, "Port": str(port)}
    text = [f"{key} {value}" for key, value in lines.items()]
    for user in users:
        env = {MARK: str(folder), "PATH": HOST_PATH, **user.env}
        given = " ".join(f'"{key}={value}"' for key, value in env.items())
        text += [f"Match User {user.name}", f"SetEnv {given}"]
    (folder / "sshd_config").write_text("\n".join(text) + "\n")


def _defaults(folder: Path) -> dict[str, str]:
    penalties = {"PerSourcePenalties": "no"} if _knows("PerSourcePenalties", "no") else {}
    return {
        "HostKey": str(folder / "host_key"),
        "AuthorizedKeysFile": str(folder / "authorized_keys"),
        "PidFile": str(folder / "pid"),
        "StrictModes": "no",
        "UsePAM": "no",
        "UseDNS": "no",
        "PermitRootLogin": "yes",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "PrintMotd": "no",
        "PrintLastLog": "no",
        "MaxStartups": "100",
        "LoginGraceTime": "30",
        "Subsystem": "sftp internal-sftp",
        **penalties,
    }


@functools.cache
def _knows(option: str, value: str) -> bool:
    """Whether this version of sshd has the option."""
    asked = subprocess.run(
        [program("sshd"), "-G", "-f", os.devnull, "-o", f"{option}={value}"], capture_output=True, check=False
    )
    return asked.returncode == 0
