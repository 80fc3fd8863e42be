"""What the user's own SSH configuration says of a host, as OpenSSH itself reads it: `ssh -G`."""

import os
import pwd
import re
import shutil
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from remote.errors import CallError
from remote.sanitise import clean
from remote.ssh.address import NAME, Address, split_address

ASK_S = 10.0
MOST_HOPS = 8
DEFAULT_KEYS = ("~/.ssh/id_rsa", "~/.ssh/id_ecdsa", "~/.ssh/id_ed25519")
DEFAULT_KNOWN = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
GLOBAL_KNOWN = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
HONOURED = {
    "host", "hostname", "port", "user", "identityfile", "identitiesonly", "identityagent", "certificatefile",
    "proxyjump", "proxycommand", "hostkeyalias", "userknownhostsfile", "globalknownhostsfile",
    "revokedhostkeys",
}  # fmt: skip
WITHOUT_EFFECT = {
    "hashknownhosts", "sendenv", "gssapiauthentication", "gssapidelegatecredentials", "visualhostkey",
    "xauthlocation", "loglevel", "canonicaldomains", "canonicalizehostname", "canonicalizemaxdots",
    "canonicalizefallbacklocal", "canonicalizepermittedcnames", "tag", "addkeystoagent", "escapechar",
    "enableescapecommandline", "updatehostkeys",
}  # fmt: skip
"""Fields that change nothing for us: what they are for is not done here, or `ssh -G` has done it already."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a host is and how to get in.

    Attributes:
        alias: as the operator calls it. hostname: a name or number that can be resolved.
        identity_files, certificate_files: absolute paths; they need not exist.
        identities_only: offer only the keys of these files, whatever the agent holds.
        identity_agent: path of the agent's socket; empty: there is none.
        revoked_host_keys: files (RevokedHostKeys) of keys that no host may show.
        hops: the jumps before it, the first one first; none of them has hops of its own.
        proxy_command: with its tokens expanded; for the first of the chain only.
        host_key_alias: the name to look its key up under; empty: its own.
        not_honoured: `field value` of whatever else the configuration says and we do not do.
        note: why the configuration was not asked; empty if it was.
    """

    alias: str
    hostname: str
    port: int = 22
    user: str = ""
    identity_files: tuple[str, ...] = ()
    certificate_files: tuple[str, ...] = ()
    identities_only: bool = False
    identity_agent: str = ""
    proxy_command: str = ""
    host_key_alias: str = ""
    user_known_hosts: tuple[str, ...] = ()
    global_known_hosts: tuple[str, ...] = ()
    revoked_host_keys: tuple[str, ...] = ()
    hops: tuple["Target", ...] = ()
    not_honoured: tuple[str, ...] = ()
    note: str = ""

    @property
    def where(self) -> str:
        """`user@name:port`, for sentences."""
        return str(Address(self.hostname, self.user, self.port))


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
            said = clean(done.stderr.decode("utf-8", "replace")).strip().splitlines()
            why = "; ".join(said[:3]) or f"code {done.returncode}"
            if "jumphost loop" in why:
                raise _circle(address.name, why)
            raise CallError(
                "refused",
                f"OpenSSH cannot read its configuration for {address.name}: {why}",
                "mend ~/.ssh/config",
            )
        return _fields(done.stdout.decode("utf-8", "replace"))

    def _file(self) -> list[str]:
        """OpenSSH takes `~` from the password file; where $HOME says otherwise, so do we."""
        if Path(self.home) == Path(pwd.getpwuid(os.getuid()).pw_dir):
            return []
        file = Path(self.home, ".ssh", "config")
        return ["-F", str(file) if file.exists() else os.devnull]


def target_of(address: str, alias: str = "", asker: Asker | None = None) -> Target:
    """Where `address` is, with every hop before it; `alias` is what the operator calls it.

    Raises:
        CallError: no address, an unreadable configuration, or jumps that go in a circle.
    """
    asker = asker or Asker()
    return _resolve(split_address(address), alias or address, asker, ())


def _resolve(
    address: Address, alias: str, asker: Asker, trail: tuple[str, ...], *, jumps: bool = True
) -> Target:
    if asker.program is None:
        return _plain(address, alias, asker)
    found = asker.settings(address)
    blank = asker.settings(address, blank=True)
    hostname, port = found["hostname"][0], int(found["port"][0])
    if not NAME.fullmatch(hostname):
        raise CallError("refused", f"{hostname!r} is no name of a host", f"mend HostName of {address.name}")
    user = found["user"][0]
    here = f"{user}@{hostname}:{port}"
    if here in trail or len(trail) >= MOST_HOPS:
        raise _circle(alias, f"over {here}")
    tokens = _tokens(asker, address, hostname, port, user, found)

    def files(key: str) -> tuple[str, ...]:
        return tuple(_path(value, asker, tokens) for value in found.get(key, []) if value != "none")

    def words(key: str) -> tuple[str, ...]:
        listed = " ".join(found.get(key, [])).split()
        return tuple(_path(value, asker, tokens) for value in listed if value != "none")

    hops: tuple[Target, ...] = ()
    jump = found.get("proxyjump", ["none"])[0]
    if jumps and jump != "none":
        hops = _hops(jump, asker, (*trail, here))
    command = found.get("proxycommand", ["none"])[0]
    return Target(
        alias=alias,
        hostname=hostname,
        port=port,
        user=user,
        identity_files=files("identityfile"),
        certificate_files=files("certificatefile"),
        identities_only=found.get("identitiesonly") == ["yes"],
        identity_agent=_agent(found.get("identityagent", ["SSH_AUTH_SOCK"])[0], asker, tokens),
        proxy_command="" if hops or not jumps or command == "none" else _expand(command, tokens),
        host_key_alias=found.get("hostkeyalias", [""])[0],
        user_known_hosts=words("userknownhostsfile"),
        global_known_hosts=words("globalknownhostsfile"),
        revoked_host_keys=files("revokedhostkeys"),
        hops=hops,
        not_honoured=_not_honoured(found, blank),
    )


def _circle(alias: str, why: str) -> CallError:
    return CallError(
        "refused", f"the jumps to {alias} go in a circle: {why}", "mend ProxyJump in ~/.ssh/config"
    )


def _hops(jump: str, asker: Asker, trail: tuple[str, ...]) -> tuple[Target, ...]:
    """`a,b`: to b through a; what a itself needs comes before it, as OpenSSH would have it."""
    chain: list[Target] = []
    for number, text in enumerate(jump.split(",")):
        text = text.strip().removeprefix("ssh://").rstrip("/")
        hop = _resolve(split_address(text), text, asker, trail, jumps=number == 0)
        chain += [*hop.hops, replace(hop, hops=())]
    return tuple(chain)


def _plain(address: Address, alias: str, asker: Asker) -> Target:
    """Without an ssh program nothing is configured: the address must say it all."""
    return Target(
        alias=alias,
        hostname=address.name,
        port=address.port or 22,
        user=address.user or pwd.getpwuid(os.getuid()).pw_name,
        identity_files=tuple(_path(file, asker, {}) for file in DEFAULT_KEYS),
        identity_agent=asker.environment.get("SSH_AUTH_SOCK", ""),
        user_known_hosts=tuple(_path(file, asker, {}) for file in DEFAULT_KNOWN),
        global_known_hosts=GLOBAL_KNOWN,
        note="there is no ssh program here: ~/.ssh/config was not read, only user@host:port and default keys",
    )


def _fields(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        found.setdefault(key.lower(), []).append(value)
    return found


def _not_honoured(found: Mapping[str, list[str]], blank: Mapping[str, list[str]]) -> tuple[str, ...]:
    return tuple(
        f"{key} {value}"
        for key, values in sorted(found.items())
        if key not in HONOURED and key not in WITHOUT_EFFECT and values != blank.get(key)
        for value in values
    )


def _tokens(
    asker: Asker, address: Address, hostname: str, port: int, user: str, found: Mapping[str, list[str]]
) -> dict[str, str]:
    machine = socket.gethostname()
    return {
        "%": "%",
        "d": asker.home,
        "h": hostname,
        "i": str(os.getuid()),
        "k": found.get("hostkeyalias", [address.name])[0],
        "L": machine.split(".")[0],
        "l": machine,
        "n": address.name,
        "p": str(port),
        "r": user,
        "u": pwd.getpwuid(os.getuid()).pw_name,
    }


def _expand(text: str, tokens: Mapping[str, str]) -> str:
    """`%h` and its like; a token that OpenSSH would not know either stays as it is."""
    return re.sub(r"%(.)", lambda found: tokens.get(found[1], found[0]), text)


def _path(text: str, asker: Asker, tokens: Mapping[str, str]) -> str:
    """An absolute path; `~`, `${NAME}` and tokens expanded, the passwd home replaced where $HOME differs."""
    text = re.sub(r"\$\{(\w+)\}", lambda found: asker.environment.get(found[1], ""), _expand(text, tokens))
    own = pwd.getpwuid(os.getuid()).pw_dir
    if text == "~" or text.startswith("~/"):
        text = asker.home + text[1:]
    elif text in {f"{own}/.ssh/known_hosts", f"{own}/.ssh/known_hosts2"}:
        text = asker.home + text[len(own) :]
    return str(Path(text).expanduser())


def _agent(value: str, asker: Asker, tokens: Mapping[str, str]) -> str:
    if value == "none":
        return ""
    if value == "SSH_AUTH_SOCK" or value.startswith("$"):
        return asker.environment.get(value.lstrip("$").strip("{}"), "")
    return _path(value, asker, tokens)
