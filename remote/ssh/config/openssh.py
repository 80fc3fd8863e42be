"""Asking OpenSSH itself what the user's configuration says: `ssh -G`."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from remote.hosts.address import Address
from remote.protocol.errors import CallError
from remote.protocol.sanitise import clean

ASK_S = 10.0


@dataclass(frozen=True, slots=True)
class Asker:
    """How `ssh -G` is asked; the operator's own `ssh` and environment unless a test says otherwise."""

    program: str | None = field(default_factory=lambda: shutil.which("ssh"))
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    timeout_s: float = ASK_S

    @property
    def home(self) -> str:
        """The folder that `~` means."""
        return self.environment.get("HOME") or pwd.getpwuid(os.getuid()).pw_dir

    def settings(self, address: Address, *, blank: bool = False) -> dict[str, list[str]]:
        """Field -> values for an address; `blank`: as if nothing were configured.

        Raises:
            CallError: the configuration cannot be read.
        """
        assert self.program is not None
        words = [self.program, "-G", "-T", *(["-F", os.devnull] if blank else self._file())]
        words += ["-p", str(address.port)] if address.port else []
        words += ["-l", address.user] if address.user else []
        words += ["--", address.name]
        try:
            done = subprocess.run(
                words,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self.timeout_s,
                check=False,
                env=dict(self.environment),
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise CallError("refused", f"ssh -G {address.name} failed: {error}", "run it by hand") from None
        if done.returncode != 0:
            lines = clean(done.stderr.decode("utf-8", "replace")).strip().splitlines()
            why = "; ".join(lines[:3]) or f"code {done.returncode}"
            if "jumphost loop" in why:
                raise jump_circle(address.name, why)
            raise CallError(
                "refused",
                f"OpenSSH cannot read its configuration for {address.name}: {why}",
                "mend ~/.ssh/config",
            )
        return fields_of(done.stdout.decode("utf-8", "replace"))

    def _file(self) -> list[str]:
        """OpenSSH takes `~` from the password file; where $HOME says otherwise, so do we."""
        if Path(self.home) == Path(pwd.getpwuid(os.getuid()).pw_dir):
            return []
        file = Path(self.home, ".ssh", "config")
        return ["-F", str(file) if file.exists() else os.devnull]


def jump_circle(alias: str, why: str) -> CallError:
    """The error of jumps that lead back to where they began."""
    return CallError(
        "refused", f"the jumps to {alias} go in a circle: {why}", "mend ProxyJump in ~/.ssh/config"
    )


def fields_of(text: str) -> dict[str, list[str]]:
    """Field -> values of what `ssh -G` prints, in its order."""
    found: dict[str, list[str]] = {}
    for line in text.replace("\0", "").splitlines():
        key, _, value = line.partition(" ")
        found.setdefault(key.lower(), []).append(value)
    return found
