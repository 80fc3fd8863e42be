"""What known_hosts files say of a host's key. Pure: text in, verdict out."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

PLAIN_PORT = 22


@dataclass(frozen=True, slots=True)
class KnownHostsLine:
    """One line of a known_hosts file.

    Attributes:
        marker: empty, `@revoked` or `@cert-authority`.
        patterns: the hosts as they stand there: names, wildcards, negations, or one hashed name.
        key_type: of the key's own bytes, such as `ssh-ed25519`.
    """

    marker: str
    patterns: tuple[str, ...]
    key_type: str
    key: bytes
    file: str
    line: int

    def matches(self, name: str) -> bool:
        """Whether it speaks of `name` (as `host_name` writes it)."""
        good = False
        for pattern in self.patterns:
            negated, wanted = pattern.startswith("!"), pattern.removeprefix("!")
            if _is(wanted, name):
                if negated:
                    return False
                good = True
        return good


@dataclass(frozen=True, slots=True)
class KeyStanding:
    """What the files say of one key.

    Attributes:
        is_: `known`, `unknown`, `changed` (the files have another key of this host) or `revoked`.
        entry: for all but `unknown`, the line that says so.
        has_authority: a `@cert-authority` line speaks of the host: certificates are not looked at here.
    """

    is_: Literal["known", "unknown", "changed", "revoked"]
    entry: KnownHostsLine | None = None
    has_authority: bool = False


def host_name(name: str, port: int) -> str:
    """How a host stands in known_hosts: bare on port 22, else `[name]:port`; lower case."""
    name = name.lower()
    return name if port == PLAIN_PORT else f"[{name}]:{port}"


def fingerprint(key: bytes) -> str:
    """`SHA256:...`, as `ssh-keygen -l` prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def type_of(key: bytes) -> str:
    """The type that a public key's own bytes begin with; empty if there is none."""
    size = int.from_bytes(key[:4], "big")
    name = key[4 : 4 + size]
    return name.decode("ascii", "replace") if 0 < size <= 64 and len(name) == size else ""


def read_known_hosts(text: str, file: str) -> list[KnownHostsLine]:
    """Every line that can be read; malformed ones count for nothing."""
    entries = (_entry(line, file, number) for number, line in enumerate(text.splitlines(), 1))
    return [entry for entry in entries if entry is not None]


def judge(
    entries: Iterable[KnownHostsLine], names: Iterable[str], key: bytes, also_revoked_as: Iterable[str] = ()
) -> KeyStanding:
    """What `entries` say of `key`, shown by a host that goes by each of `names` (see `host_name`).

    A key that is revoked under one of the names `also_revoked_as` is revoked too.
    """
    every, wanted = list(entries), list(names)
    ours = [entry for entry in every if any(entry.matches(name) for name in wanted)]
    bad = [entry for entry in every if entry.marker == "@revoked" and entry.key == key]
    suspects = (*wanted, *also_revoked_as)
    revoked = next((entry for entry in bad if any(entry.matches(name) for name in suspects)), None)
    if revoked is not None:
        return KeyStanding("revoked", revoked)
    authority = any(entry.marker == "@cert-authority" for entry in ours)
    plain = [entry for entry in ours if not entry.marker]
    same = next((entry for entry in plain if entry.key == key), None)
    if same is not None:
        return KeyStanding("known", same, authority)
    kind = type_of(key)
    other = next((entry for entry in plain if entry.key_type == kind), plain[0] if plain else None)
    return KeyStanding("changed" if other else "unknown", other, authority)


def known_types(entries: Iterable[KnownHostsLine], names: Iterable[str]) -> tuple[str, ...]:
    """The types of keys that are known of a host: they are asked for first, or another one would look new."""
    wanted = list(names)
    found = (e.key_type for e in entries if not e.marker and any(e.matches(name) for name in wanted))
    return tuple(dict.fromkeys(found))


def known_line(name: str, key: bytes) -> str:
    """The line that makes a key known, with its newline."""
    return f"{name} {type_of(key)} {base64.b64encode(key).decode()}\n"


def _is(pattern: str, name: str) -> bool:
    if not pattern.startswith("|1|"):
        return fnmatchcase(name, _only_stars(pattern.lower()))
    try:
        salt, digest = (base64.b64decode(part, validate=True) for part in pattern.split("|")[2:4])
    except (ValueError, binascii.Error):
        return False
    return hmac.compare_digest(hmac.new(salt, name.encode(), "sha1").digest(), digest)


def _only_stars(pattern: str) -> str:
    """`*` and `?` are wildcards here; brackets are themselves."""
    return re.sub(r"\[", "[[]", pattern)


def _entry(line: str, file: str, number: int) -> KnownHostsLine | None:
    words = line.split()
    if not words or words[0].startswith("#"):
        return None
    marker = words.pop(0) if words[0].startswith("@") else ""
    if len(words) < 3 or marker not in ("", "@revoked", "@cert-authority"):
        return None
    try:
        key = base64.b64decode(words[2], validate=True)
    except (ValueError, binascii.Error):
        return None
    kind = type_of(key)
    if not kind or kind != words[1]:
        return None
    return KnownHostsLine(marker, tuple(words[0].split(",")), kind, key, file, number)
