"""A laptop of the test's own: HOME, ssh config, key and state root in a temporary folder."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.sshd.needs import nss_wrapper, program

CLIENTS = ("ssh", "scp", "sftp")


class Laptop:
    """OpenSSH reads the home of the passwd entry, not $HOME: the `ssh` first in this PATH is told another.

    Attributes:
        home: the new HOME; `.ssh/config` and `.ssh/id_ed25519` lie in it.
        root: the new PHOTINUS_HOME; not made here.
        env: what makes a process run on this laptop; `tests/sshd/fixtures.py` puts it into our own.
    """

    def __init__(self, folder: Path) -> None:
        self.home = folder / "laptop"
        self.root = self.home / ".photinus"
        self.ssh_folder.mkdir(mode=0o700, parents=True)
        self.key = self.ssh_folder / "id_ed25519"
        make_key(self.key)
        programs = folder / "laptop-bin"
        self._make_shims(programs)
        self.env: Mapping[str, str] = {
            "HOME": str(self.home),
            "PHOTINUS_HOME": str(self.root),
            "PATH": f"{programs}:{os.environ['PATH']}",
            "SSH_AUTH_SOCK": "",
        }

    @property
    def ssh_folder(self) -> Path:
        """`~/.ssh`."""
        return self.home / ".ssh"

    def add_config(self, text: str) -> None:
        """Append to `~/.ssh/config`."""
        with (self.ssh_folder / "config").open("a") as config:
            config.write(text.rstrip("\n") + "\n")

    def add_known_host(self, line: str, where: Path | None = None) -> None:
        """Append a line to the operator's own `~/.ssh/known_hosts`, or to the file `where`."""
        with (where or self.ssh_folder / "known_hosts").open("a") as known:
            known.write(line.rstrip("\n") + "\n")

    def _make_shims(self, programs: Path) -> None:
        programs.mkdir()
        uid, gid = os.getuid(), os.getgid()
        (programs / "passwd").write_text(f"operator:x:{uid}:{gid}::{self.home}:/bin/sh\n")
        (programs / "group").write_text(f"operator:x:{gid}:\n")
        for name in CLIENTS:
            shim = programs / name
            shim.write_text(
                "#!/bin/sh\n"
                f"LD_PRELOAD={nss_wrapper()} NSS_WRAPPER_PASSWD={programs}/passwd "
                f'NSS_WRAPPER_GROUP={programs}/group exec {program(name)} "$@"\n'
            )
            shim.chmod(0o755)


def make_key(path: Path, kind: str = "ed25519", passphrase: str = "") -> None:
    """An SSH key pair at `path` and `path.pub`, made anew."""
    for old in (path, path.with_name(path.name + ".pub")):
        old.unlink(missing_ok=True)
    size = ["-b", "2048"] if kind == "rsa" else []  # the usual 3072 take seconds
    subprocess.run(
        [program("ssh-keygen"), "-q", "-t", kind, *size, "-N", passphrase, "-C", "test", "-f", path],
        check=True,
    )
