"""Hosts in network namespaces of their own: one behind another, and cables that can be cut in silence.

    laptop (our own namespace) ── jump ── inner

`inner` is reached through `jump` only. A namespace is held by a process of ours;
it ends with that, and its cable too.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.sshd.needs import program
from tests.waiting import wait_until

NETWORK = (198 << 24) + (18 << 16)  # 198.18.0.0/15: for tests of networks, never routed (RFC 2544)
SUBNETS = 1 << 15


class Namespace:
    """A network namespace with nothing in it but a loopback.

    Attributes:
        prefix: words before a command that is to run in it.
        address: its address on the cable towards the laptop; empty before `connect`.
    """

    def __init__(self) -> None:
        self._holder = subprocess.Popen(
            [program("unshare"), "--net", "--", "sh", "-c", "echo up; exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"up\n", "no network namespace could be made"
        self.pid = self._holder.pid
        self.prefix = (program("nsenter"), "-t", str(self.pid), "-n")
        self.address = ""
        self.run("ip", "link", "set", "lo", "up")

    def run(self, *words: str) -> None:
        """Run a network tool in it.

        Raises:
            subprocess.CalledProcessError: it failed.
        """
        _run(*self.prefix, program(words[0]), *words[1:])

    def connect(self, towards: "Namespace | None" = None) -> None:
        """Lay the cable to another namespace, or to our own."""
        subnet = NETWORK + 4 * (self.pid % SUBNETS)
        near, self.address = _dotted(subnet + 1), _dotted(subnet + 2)
        name = f"pht{self.pid}"
        here = towards.prefix if towards else ()
        ip = (*here, program("ip"))
        _run(*ip, "link", "add", name, "type", "veth", "peer", "name", "cable", "netns", str(self.pid))
        _run(*ip, "address", "add", f"{near}/30", "dev", name)
        _run(*ip, "link", "set", name, "up")
        self.run("ip", "address", "add", f"{self.address}/30", "dev", "cable")
        self.run("ip", "link", "set", "cable", "up")

    def partition(self) -> None:
        """From now on every packet on the cable is dropped, and nobody is told."""
        self.run("iptables", "-A", "INPUT", "-i", "cable", "-j", "DROP")
        self.run("iptables", "-A", "OUTPUT", "-o", "cable", "-j", "DROP")

    def heal(self) -> None:
        """Packets pass again."""
        self.run("iptables", "-F")

    def unplug(self) -> None:
        """The cable is out: no carrier at either end."""
        self.run("ip", "link", "set", "cable", "down")

    def plug_in(self) -> None:
        """The cable is back."""
        self.run("ip", "link", "set", "cable", "up")

    def close(self) -> None:
        """End it. What still runs in it goes on, without a cable."""
        self._holder.kill()
        self._holder.wait()
        for pipe in (self._holder.stdin, self._holder.stdout):
            assert pipe is not None
            pipe.close()


@dataclass(frozen=True, slots=True)
class Village:
    """Two namespaces in a row."""

    jump: Namespace
    inner: Namespace


@contextmanager
def village() -> Iterator[Village]:
    """`jump`, which the laptop reaches, and `inner`, which only `jump` reaches."""
    jump, inner = Namespace(), Namespace()
    try:
        jump.connect()
        inner.connect(jump)
        yield Village(jump, inner)
    finally:
        inner.close()
        jump.close()


def _dotted(address: int) -> str:
    return ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0))


def _run(*words: str) -> None:
    done: list[subprocess.CompletedProcess[str]] = []

    def tried() -> bool:
        # Two workers may want the firewall's lock at once; exit code 4 says so.
        done[:] = [subprocess.run(words, capture_output=True, text=True, check=False)]
        return done[0].returncode != 4

    wait_until(tried, 10.0, " ".join(words))
    if done[0].returncode:
        raise RuntimeError(f"{' '.join(words)}: {done[0].stderr.strip()}")
