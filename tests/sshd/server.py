"""OpenSSH's own server on a loopback port, with users, keys and homes that are only this test's."""

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from remote.hosts.client_state import make_client_folder
from remote.hosts.host import Host
from remote.hosts.placement import Placement, write_placement
from tests.sshd.client import Laptop, make_key
from tests.sshd.config import MARK, User, write_config
from tests.sshd.needs import nss_wrapper, program
from tests.sshd.processes import children_of, end_marked, marked
from tests.waiting import wait_until

PRIVILEGE_FOLDER = Path("/run/sshd")  # compiled into OpenSSH; the package makes it at boot


class Sshd:
    """A server that is our own child. `stop` ends it, `close` everything that was started on it as well.

    Several names share our uid: whoever logs in is us, with another home and shell. Every process of a
    session carries PHOTINUS_TEST_SSHD in its environment, by which `close` finds it.
    """

    def __init__(
        self, folder: Path, users: Sequence[User], *, laptop: Laptop, prefix: Sequence[str], address: str
    ) -> None:
        self.folder, self.users, self.laptop = folder, {user.name: user for user in users}, laptop
        self.listen_on, self._prefix = address, tuple(prefix)
        self.port = free_port() if address == "127.0.0.1" else 22
        self.options: dict[str, str] = {}
        self.host_key = folder / "host_key"
        self.log = folder / "log"
        self._server: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(
        cls,
        tmp_path: Path,
        users: Sequence[User] = (User("plain"),),
        *,
        laptop: Laptop,
        name: str = "sshd",
        prefix: Sequence[str] = (),
        address: str = "127.0.0.1",
        options: Mapping[str, str] | None = None,
    ) -> "Sshd":
        """A running server below `tmp_path / name`.

        Args:
            laptop: whose key may log in.
            prefix: words before the server's own, such as `nsenter -t PID -n`.
            options: further lines of sshd_config, which win.
        """
        folder = tmp_path / name
        folder.mkdir()
        server = cls(folder, users, laptop=laptop, prefix=prefix, address=address)
        server.options.update(options or {})
        server._prepare()
        server.launch()
        return server

    @property
    def pid(self) -> int:
        """Of the listening process."""
        assert self._server is not None, "the server is stopped"
        return self._server.pid

    @property
    def host_key_line(self) -> str:
        """`ssh-ed25519 AAAA...`, as in a known_hosts file behind the name."""
        return " ".join(self.host_key.with_suffix(".pub").read_text().split()[:2])

    @property
    def host_key_fingerprint(self) -> str:
        """`SHA256:...`."""
        shown = subprocess.run(
            [program("ssh-keygen"), "-l", "-f", self.host_key], check=True, capture_output=True, text=True
        )
        return shown.stdout.split()[1]

    def home(self, user: str) -> Path:
        """The user's HOME on the host."""
        return self.folder / "home" / user

    def address(self, user: str, port: int = 0) -> str:
        """`user@address:port`; `port` where it is reached through a proxy."""
        return f"{user}@{self.listen_on}:{port or self.port}"

    def known_hosts_line(self, port: int = 0) -> str:
        """What a known_hosts file says of this server."""
        port = port or self.port
        name = self.listen_on if port == 22 else f"[{self.listen_on}]:{port}"
        return f"{name} {self.host_key_line}"

    def trust(self, port: int = 0) -> None:
        """Put the host key into the known hosts of this client's own (PHOTINUS_HOME)."""
        make_client_folder()
        with make_client_folder().joinpath("known_hosts").open("a") as known:
            known.write(self.known_hosts_line(port) + "\n")

    def host(
        self, user: str = "plain", name: str = "box", *, port: int = 0, trusted: bool = True, **more: str
    ) -> Host:
        """A host that this client reaches without a question; `trusted=False`: its key is unknown yet."""
        if trusted:
            self.trust(port)
        return Host(name, address=self.address(user, port), **more)  # type: ignore[arg-type]

    def place(
        self, host: Host, home: Path | None = None, *, agent: str = "", env: Mapping[str, str] | None = None
    ) -> None:
        """Make the agent of this checkout what runs on `host`, as a deploy would have.

        Args:
            home: state root on the host; missing: `~/.photinus` of the user there.
            agent: further words for the agent, such as `--idle-exit 2`.
            env: what its environment holds besides.
        """
        given = {**({"PHOTINUS_HOME": str(home)} if home else {}), **(env or {})}
        lines = [f"export {key}={shlex.quote(value)}" for key, value in given.items()]
        wrapper = self.folder / f"python-{host.name}"
        wrapper.write_text("\n".join(["#!/bin/sh", *lines, f'exec {sys.executable} "$@" {agent}', ""]))
        wrapper.chmod(0o755)
        write_placement(host, Placement(python=str(wrapper), home=str(home or "")))

    def ssh(
        self, user: str, *words: str, port: int = 0, timeout: float = 20.0
    ) -> subprocess.CompletedProcess[bytes]:
        """Run plain `ssh` against the server; the output is captured, the exit code is not checked."""
        return self.run_laptop(*self.ssh_argv(user, *words, port=port), timeout=timeout)

    def run_laptop(self, *words: str, timeout: float = 20.0) -> subprocess.CompletedProcess[bytes]:
        """Run any command of the laptop's, without a terminal."""
        return subprocess.run(
            words,
            env={**os.environ, **self.laptop.env},
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=timeout,
            check=False,
        )

    def ssh_argv(self, user: str, *words: str, port: int = 0) -> list[str]:
        """The command line of a plain `ssh`."""
        port = port or self.port
        target = f"{user}@{self.listen_on}"
        return [self.laptop_program("ssh"), *self.ssh_options(port), "-p", str(port), target, *words]

    def ssh_options(self, port: int = 0) -> list[str]:
        """What makes a plain `ssh`, `scp` or `sftp` log in here without a question."""
        known = self.folder / f"known_hosts-{port or self.port}"
        known.write_text(self.known_hosts_line(port) + "\n")
        return ["-F", "none", "-i", str(self.laptop.key), "-o", f"UserKnownHostsFile={known}",
                "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"]  # fmt: skip

    def laptop_program(self, name: str) -> str:
        """Path of the laptop's `ssh`, `scp` or `sftp`."""
        return str(Path(self.laptop.env["PATH"].split(":")[0]) / name)

    def session_pids(self) -> list[int]:
        """The sshd processes of the open connections, not the listener."""
        found, look_at = [], [self.pid]
        while look_at:
            for pid in children_of(look_at.pop()):
                with contextlib.suppress(OSError):
                    if Path(f"/proc/{pid}/comm").read_text().startswith("sshd"):
                        found.append(pid)
                        look_at.append(pid)
        return found

    def started(self) -> list[int]:
        """Every process that was started on this host over SSH and lives."""
        return marked(f"{MARK}={self.folder}")

    def kill_sessions(self) -> int:
        """kill -9 of every connection's sshd, as an out-of-memory killer does; how many."""
        pids = self.session_pids()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(pids)

    def change_host_key(self) -> None:
        """A new host key, as after a reinstallation or in the middle of an attack."""
        make_key(self.host_key)
        self.restart()

    def restart(self) -> None:
        """End the listener and every connection, and start again on the same port."""
        self.stop()
        self.launch()

    def stop(self) -> None:
        """End the listener and every connection; what users started goes on."""
        if self._server is None:
            return
        sessions = self.session_pids()
        self._server.kill()
        self._server.wait()
        for pid in sessions:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._server = None

    def close(self) -> None:
        """Stop, and end every process that was started on this host."""
        self.stop()
        end_marked(f"{MARK}={self.folder}")

    def launch(self) -> None:
        """Start the listener.

        Raises:
            RuntimeError: it did not come up; its log is in the message.
        """
        write_config(self.folder, self.users.values(), self.options, self.listen_on, self.port)
        wrapped = {
            "LD_PRELOAD": nss_wrapper(),
            "NSS_WRAPPER_PASSWD": str(self.folder / "passwd"),
            "NSS_WRAPPER_GROUP": str(self.folder / "group"),
        }
        if os.getuid() == 0:
            PRIVILEGE_FOLDER.mkdir(mode=0o755, exist_ok=True)
        before = self._log_text().count("Server listening")
        with self.log.open("ab") as log:
            self._server = subprocess.Popen(
                [
                    *_dying_with_us(),
                    *self._prefix,
                    program("sshd"),
                    "-D",
                    "-e",
                    "-f",
                    self.folder / "sshd_config",
                ],
                env={"PATH": os.environ["PATH"], **wrapped},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        server = self._server
        wait_until(
            lambda: self._log_text().count("Server listening") > before or server.poll() is not None,
            10.0,
            "sshd to listen",
        )
        if server.poll() is not None:
            self._server = None
            raise RuntimeError(f"sshd did not start:\n{self._log_text()}")

    def _log_text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def _prepare(self) -> None:
        uid, gid = os.getuid(), os.getgid()
        accounts = ["sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin"]
        for user in self.users.values():
            home = self.home(user.name)
            home.mkdir(parents=True, mode=0o700)
            (home / ".bashrc").write_text(user.bashrc)
            accounts.append(f"{user.name}:x:{uid}:{gid}::{home}:{user.shell}")
        (self.folder / "passwd").write_text("\n".join(accounts) + "\n")
        (self.folder / "group").write_text(f"ours:x:{gid}:\nnogroup:x:65534:\n")
        (self.folder / "authorized_keys").write_text(self.laptop.key.with_suffix(".pub").read_text())
        make_key(self.host_key)


def _dying_with_us() -> tuple[str, ...]:
    """Words that end a server with a test process that is killed, so that none is left listening."""
    setpriv = program("setpriv")
    return (setpriv, "--pdeathsig", "KILL", "--") if setpriv else ()


def free_port() -> int:
    """A port of the loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


__all__ = ["MARK", "Sshd", "User", "free_port"]
