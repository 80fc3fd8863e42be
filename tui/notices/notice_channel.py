"""A way outward, and what is wrong with one as a person wrote it."""

import ipaddress
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from tui.notices.notice import Level, Notice, is_level

Kind = Literal["webhook", "ntfy", "slack", "discord", "command"]
KINDS: tuple[Kind, ...] = ("webhook", "ntfy", "slack", "discord", "command")
URL_MAX = 2000


@dataclass(frozen=True, slots=True)
class NoticeChannel:
    """One of them.

    Attributes:
        url, token: secrets: neither is ever shown, nor part of what is thrown or logged.
        command: the words of a local command.
        level, rules, hosts: what it is told of; no rules and no hosts are all of them.
    """

    name: str
    kind: Kind
    url: str = ""
    token: str = ""
    command: tuple[str, ...] = ()
    level: Level = "information"
    rules: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        """Return its name and kind alone, wherever it may be printed."""
        return f"NoticeChannel({self.name!r}, {self.kind!r})"

    def wants(self, one: Notice) -> bool:
        """Whether a notice is for this channel."""
        return (
            is_level(one.level, self.level)
            and (not self.rules or one.rule in self.rules)
            and (not self.hosts or one.host in self.hosts)
        )


def why_no_url(url: str, allows_http: bool) -> str:
    """Why a notice is not sent to this address, without a word of it; empty where it may be."""
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > URL_MAX:
        return f"must be up to {URL_MAX:,} plain characters without spaces"
    try:
        parts = urlsplit(url)
        name, _ = parts.hostname or "", parts.port
    except ValueError:
        return "is no address of the form https://NAME/PATH"
    if parts.scheme not in ("http", "https") or not name:
        return "must begin with https:// and name a host"
    if parts.username is not None or parts.password is not None:
        return "holds a name or password before an @; put it into `token:`"
    if parts.scheme == "http" and not allows_http and not is_loopback(name):
        return "is plain http, which anybody on the way can read; use https, or add `allow_http: true`"
    return ""


def is_loopback(name: str) -> bool:
    """Whether a name or address is this machine's own, beyond doubt."""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
