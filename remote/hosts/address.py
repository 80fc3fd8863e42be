"""How a host is named: `alias`, `user@host`, `user@host:port`, `[v6]:port`; taken apart by us."""

import re
from dataclasses import dataclass

from remote.protocol.errors import CallError

NAME = re.compile(r"(?!-)[A-Za-z0-9._:-]{1,255}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*%[A-Za-z0-9._-]{1,32}")
"""A name, a number, or a link-local address with its zone: `fe80::1%en5`."""
USER = re.compile(r"(?!-)[A-Za-z0-9._@+-]{1,128}")


@dataclass(frozen=True, slots=True)
class Address:
    """The parts of an address; `user` may be empty and `port` 0 where the ssh configuration is to say."""

    name: str
    user: str = ""
    port: int = 0

    def __str__(self) -> str:
        """As it would be typed."""
        bare = f"[{self.name}]" if ":" in self.name else self.name
        return (f"{self.user}@" if self.user else "") + bare + (f":{self.port}" if self.port else "")


def split_address(text: str) -> Address:
    """Take an address apart.

    Raises:
        CallError: it is none; no such text is ever passed on to a program.
    """
    user, _, rest = text.rpartition("@")
    name, port = rest, ""
    if rest.startswith("["):
        name, closed, port = rest[1:].partition("]")
        if not closed or (port and not re.fullmatch(":.+", port)):
            raise _malformed(text)
        port = port[1:]
    elif rest.count(":") == 1:
        name, _, port = rest.partition(":")
        if not port:
            raise _malformed(text)
    number = int(port) if re.fullmatch(r"[0-9]{1,5}", port) else 0
    good_port = not port or 0 < number < 65536
    good_user = ("@" not in text) or USER.fullmatch(user)
    if not (NAME.fullmatch(name) and good_port and good_user):
        raise _malformed(text)
    return Address(name, user, number)


def ssh_words(address: str) -> str:
    """An address of ours as the words that OpenSSH's programs take: `-p 2401 me@box`."""
    parts = split_address(address)
    name = (f"{parts.user}@" if parts.user else "") + parts.name
    return f"-p {parts.port} {name}" if parts.port else name


def _malformed(text: str) -> CallError:
    return CallError(
        "bad_request",
        f"{text[:100]!r} is no address of a host",
        "write an alias of your ssh configuration, user@host or user@host:port ([v6]:port for IPv6)",
    )
