"""Where a host is and how to get in, from the user's own SSH configuration."""

import os
import pwd
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from remote.hosts.address import NAME, Address, split_address
from remote.protocol.errors import CallError
from remote.ssh.config.expansion import agent_of, expand, path_of, tokens_of
from remote.ssh.config.openssh import Asker, jump_circle
from remote.ssh.config.path_list import PathList, read_path_list

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
HARMLESS = {
    "compression", "controlmaster", "controlpath", "controlpersist", "forwardagent", "forwardx11",
    "forwardx11trusted", "forwardx11timeout", "localforward", "remoteforward", "dynamicforward",
    "exitonforwardfailure", "clearallforwardings", "gatewayports", "serveraliveinterval",
    "serveralivecountmax", "tcpkeepalive", "requesttty", "remotecommand", "permitlocalcommand",
    "localcommand", "sessiontype", "stdinnull", "forkafterauthentication", "batchmode", "connecttimeout",
    "connectionattempts", "ipqos", "rekeylimit", "syslogfacility", "logverbose",
}  # fmt: skip
"""Fields of an everyday block that are not honoured and that nobody misses for it."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a host is and how to get in.

    Attributes:
        alias: as the operator calls it. hostname: a name or number that can be resolved.
        identity_files, certificate_files: absolute paths; they need not exist.
        identities_only: offer only the keys of these files, whatever the agent holds.
        identity_agent: path of the agent's socket; empty: there is none.
        revoked_host_keys: files (RevokedHostKeys) of keys that no host may show.
        is_jump: it is one of the jumps before another.
        hops: the jumps before it, the first one first; none of them has hops of its own.
        proxy_command: with its tokens expanded; for the first of the chain only.
        host_key_alias: the name to look its key up under; empty: its own.
        not_honoured: `field value` of whatever else the configuration says and we do not do.
        note: why the configuration was not asked, or what of it is unclear; else empty.
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
    is_jump: bool = False
    hops: tuple["Target", ...] = ()
    not_honoured: tuple[str, ...] = ()
    note: str = ""

    @property
    def where(self) -> str:
        """`user@name:port`, for sentences."""
        return str(Address(self.hostname, self.user, self.port))

    @property
    def words(self) -> str:
        """The same as OpenSSH takes it; a configuration may name users that no address of ours has."""
        return shlex.join([*(["-p", str(self.port)] if self.port else []), f"{self.user}@{self.hostname}"])


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
    hostname, port, user = _whereabouts(found, address)
    if not NAME.fullmatch(hostname):
        raise CallError("refused", f"{hostname!r} is no name of a host", f"mend HostName of {address.name}")
    here = str(address)  # two names may lead to one place: a port of the loopback at each end, say
    if here in trail or len(trail) >= MOST_HOPS:
        raise jump_circle(alias, f"over {here}")
    tokens = tokens_of(asker, address, hostname, port, user, found)

    def files(key: str) -> tuple[str, ...]:
        return tuple(path_of(value, asker, tokens) for value in found.get(key, []) if value != "none")

    def listed(key: str) -> PathList:
        return read_path_list(" ".join(found.get(key, [])), lambda text: path_of(text, asker, tokens))

    known, global_known = listed("userknownhostsfile"), listed("globalknownhostsfile")
    hops: tuple[Target, ...] = ()
    jump = found.get("proxyjump", ["none"])[0]
    if jumps and jump != "none":
        hops = _hops(expand(jump, tokens), asker, (*trail, here))
    command = found.get("proxycommand", ["none"])[0]
    return Target(
        alias=alias,
        hostname=hostname,
        port=port,
        user=user,
        identity_files=files("identityfile"),
        certificate_files=files("certificatefile"),
        identities_only=found.get("identitiesonly") == ["yes"],
        identity_agent=agent_of(found.get("identityagent", ["SSH_AUTH_SOCK"])[0], asker, tokens),
        proxy_command="" if hops or not jumps or command == "none" else expand(command, tokens),
        host_key_alias=found.get("hostkeyalias", [""])[0],
        user_known_hosts=known.paths,
        global_known_hosts=global_known.paths,
        revoked_host_keys=files("revokedhostkeys"),
        hops=hops,
        not_honoured=_not_honoured(found, blank),
        note="; ".join(filter(None, [_missing([*known.unclear, *global_known.unclear]), _not_asked(found)])),
    )


def _whereabouts(found: Mapping[str, list[str]], address: Address) -> tuple[str, int, str]:
    try:
        hostname, port, user = found["hostname"][0], int(found["port"][0]), found["user"][0]
    except (KeyError, ValueError) as error:
        raise CallError(
            "refused", f"`ssh -G {address.name}` says nothing usable: {error}"[:300], "run it by hand"
        ) from error
    if not 0 < port < 1 << 16:
        raise CallError("refused", f"`ssh -G {address.name}` names no port: {port}"[:300], "run it by hand")
    return hostname, port, user


def _hops(jump: str, asker: Asker, trail: tuple[str, ...]) -> tuple[Target, ...]:
    """`a,b`: to b through a; what a itself needs comes before it, as OpenSSH would have it."""
    chain: list[Target] = []
    for number, text in enumerate(jump.split(",")):
        text = text.strip().removeprefix("ssh://").rstrip("/")
        hop = _resolve(split_address(text), text, asker, trail, jumps=number == 0)
        chain += [*hop.hops, replace(hop, hops=(), is_jump=True)]
    return tuple(chain)


def _plain(address: Address, alias: str, asker: Asker) -> Target:
    """Without an ssh program nothing is configured: the address must say it all."""
    return Target(
        alias=alias,
        hostname=address.name,
        port=address.port or 22,
        user=address.user or pwd.getpwuid(os.getuid()).pw_name,
        identity_files=tuple(path_of(file, asker, {}) for file in DEFAULT_KEYS),
        identity_agent=asker.environment.get("SSH_AUTH_SOCK", ""),
        user_known_hosts=tuple(path_of(file, asker, {}) for file in DEFAULT_KNOWN),
        global_known_hosts=GLOBAL_KNOWN,
        note="there is no ssh program here: ~/.ssh/config was not read, only user@host:port and default keys",
    )


def _missing(paths: list[str]) -> str:
    """`ssh -G` prints no quotes: where a path with spaces is no file, it may stand for several."""
    named = ", ".join(paths)
    return f"no such file of known hosts: {named} (its spaces may part several paths)" if paths else ""


def _not_asked(found: Mapping[str, list[str]]) -> str:
    """Whoever is asked about a key should know that somebody else knew the answer."""
    command = found.get("knownhostscommand", ["none"])[0]
    return "" if command == "none" else "your KnownHostsCommand, which may know this host, is not asked"


def _not_honoured(found: Mapping[str, list[str]], blank: Mapping[str, list[str]]) -> tuple[str, ...]:
    return tuple(
        f"{key} {value}"
        for key, values in sorted(found.items())
        if key not in HONOURED and key not in WITHOUT_EFFECT and values != blank.get(key)
        for value in values
    )


def not_honoured_words(not_honoured: Iterable[str]) -> str:
    """What is not honoured: first what may make a difference, then the names of the rest."""
    fields = [(text.partition(" ")[0], text) for text in not_honoured]
    matters = ", ".join(text for name, text in fields if name not in HARMLESS)
    if not matters:
        return ", ".join(text for _, text in fields)
    harmless = ", ".join(dict.fromkeys(name for name, _ in fields if name in HARMLESS))
    return matters + (f"; nor, of no account here: {harmless}" if harmless else "")
