"""The first minute of a connection, in Paramiko's words: handshake, the host's key, our keys."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import paramiko
from paramiko.ssh_exception import IncompatiblePeer

from remote.protocol.errors import CallError
from remote.ssh import refusals
from remote.ssh.algorithms import nothing_fits, offered
from remote.ssh.auth.identities import Offer, certificate_fits, certificate_paths, in_order
from remote.ssh.auth.key_agent import KeyAgent
from remote.ssh.auth.key_file import read_key_file, read_public_key
from remote.ssh.config.effective import Target
from remote.ssh.deadline import Deadline
from remote.ssh.first_words import FirstWords
from remote.ssh.known_hosts import type_of
from remote.ssh.proxy import ProxySocket
from remote.ssh.trust import Trust
from remote.transport.base import Answers, HungUpError

BROKEN = (paramiko.SSHException, EOFError)
WINDOW = 1 << 23
WEAK = {
    "ciphers": ["aes128-cbc", "aes192-cbc", "aes256-cbc", "3des-cbc"],
    "macs": ["hmac-sha1", "hmac-md5", "hmac-sha1-96", "hmac-md5-96"],
    "kex": ["diffie-hellman-group-exchange-sha256"],  # Paramiko would take a group of 1,024 bits
}
FIRST = {
    "ciphers": ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com"),
    "digests": ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com"),
}
"""Paramiko offers these last. Encrypted and authenticated in one pass, they are by far the fastest it has."""
LATER_S = 5.0  # Paramiko's own patience ends after ours, which says what was waited for
RSA = ("rsa-sha2-512", "rsa-sha2-256")
ECDSA = ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")
KEY_CLASSES: dict[str, type[paramiko.PKey]] = {
    "ssh-ed25519": paramiko.Ed25519Key,
    "ssh-rsa": paramiko.RSAKey,
    **dict.fromkeys(ECDSA, paramiko.ECDSAKey),
}


def handshake(link: Any, target: Target, answers: Answers, deadline: Deadline) -> paramiko.Transport:
    """An encrypted connection over `link` to a server whose key is trusted.

    Raises:
        OSError: it cannot be made now.
        CallError: `key_unknown`, `key_changed`, or no safe algorithm in common.
    """
    deadline.begin("ssh")
    trust = Trust(target)
    first_words = FirstWords(link)
    transport = _Transport(first_words, default_window_size=WINDOW, disabled_algorithms=WEAK)  # type: ignore[arg-type]
    transport.daemon = True
    transport.hostname = target.alias  # type: ignore[attr-defined]  # the stubs do not know it
    transport.banner_timeout = transport.handshake_timeout = deadline.left() + LATER_S
    _prefer(transport, trust.types)
    done = threading.Event()
    try:
        transport.start_client(event=done)
        deadline.wait(done)
        if not transport.is_active():
            raise transport.get_exception() or EOFError()
        trust.check(transport.get_remote_server_key().asbytes(), answers)
    except BaseException as error:
        transport.close()
        link.close()
        if isinstance(error, IncompatiblePeer):
            raise _incompatible(transport, target, str(error), first_words.text) from None
        if isinstance(error, BROKEN):
            last_words = link.last_words() if isinstance(link, ProxySocket) else ""
            why = refusals.no_handshake(target.where, str(error), first_words.text, last_words)
            raise HungUpError(why) from None
        raise
    return transport


def log_in(transport: paramiko.Transport, target: Target, answers: Answers, deadline: Deadline) -> None:
    """Authenticate by a key of the agent or of a file.

    Raises:
        OSError: the link broke, or it took too long.
        CallError: `auth_refused`, or a `QuestionError`: `needs_passphrase`.
    """
    deadline.begin("auth")
    door = _Door(transport, target, deadline)
    if door.knock(lambda: transport.auth_none(target.user)):
        return  # some servers know who we are without a key
    if "publickey" not in door.methods:
        raise refusals.only_passwords(target, door.methods, door.message)
    with _Ring(target, answers, deadline) as ring:
        for offer in ring.offers():
            for key in ring.keys(offer):
                ring.tried.append(ring.label(offer))
                if door.knock(lambda key=key: transport.auth_publickey(target.user, key)):  # type: ignore[misc]
                    return
                if not transport.is_active():
                    raise refusals.hung_up(target, ring.tried, door.message)
                if "publickey" not in door.methods:
                    raise refusals.another_factor(target, door.methods, door.message)
        if door.took:
            raise refusals.another_factor(target, ["another key"], door.message)
        raise refusals.refused(target, door.methods, ring.tried, ring.troubles, door.message)


def _prefer(transport: paramiko.Transport, types: tuple[str, ...]) -> None:
    """Ask for the host's key in a type that we know of it, as OpenSSH does, and for the best ciphers."""
    options = transport.get_security_options()
    for kind, best in FIRST.items():
        setattr(options, kind, _led_by(best, getattr(options, kind)))
    known = [name for kind in types for name in (RSA if kind == "ssh-rsa" else (kind,))]
    options.key_types = _led_by(known, options.key_types)


def _led_by(best: Iterable[str], usual: Iterable[str]) -> tuple[str, ...]:
    """All of `usual`, those of `best` first, in their order."""
    usual = tuple(usual)
    first = [name for name in best if name in usual]
    return (*first, *(name for name in usual if name not in first))


def _incompatible(transport: "_Transport", target: Target, complaint: str, first: str) -> CallError:
    why, setting = nothing_fits(complaint, transport.offered)
    return refusals.no_common_algorithm(target.where, why or complaint, first, setting)


class _Transport(paramiko.Transport):
    """One that keeps what the server offers to speak, and what it says as it hangs up."""

    farewell = ""
    offered: Mapping[str, Sequence[str]] = MappingProxyType({})

    def _parse_kex_init(self, m: Any) -> Any:
        self.offered = offered(m.asbytes())
        return super()._parse_kex_init(m)  # type: ignore[misc]  # the stubs do not know it

    def _parse_disconnect(self, m: Any) -> None:
        m.get_int()
        self.farewell = m.get_string().decode("utf-8", "replace")


class _Door:
    """The server's answers to what we try. `took`: a key was right, and was not enough."""

    def __init__(self, transport: paramiko.Transport, target: Target, deadline: Deadline) -> None:
        self._transport, self._target, self._deadline = transport, target, deadline
        self.methods: list[str] = ["publickey"]
        self.took = False
        self._banner = ""

    @property
    def message(self) -> str:
        """What a person would have read."""
        return f"{self._banner} {getattr(self._transport, 'farewell', '')}".strip()

    def _listen(self) -> None:
        """Each attempt has a handler of its own, and with it goes the banner."""
        banner = getattr(self._transport.auth_handler, "banner", None)
        if banner:
            self._banner = banner.decode("utf-8", "replace") if isinstance(banner, bytes) else str(banner)

    def knock(self, attempt: Callable[[], list[str]]) -> bool:
        """Whether we are in; `methods` says what may be tried next.

        Raises:
            OSError: the link broke, or it took too long.
        """
        self._transport.auth_timeout = self._deadline.left()
        try:
            rest = attempt()
        except paramiko.BadAuthenticationType as error:
            self.methods = list(error.allowed_types)
        except paramiko.AuthenticationException:
            self._deadline.left()
        except BROKEN as error:
            if self._transport.is_active():
                raise OSError(f"{self._target.where}: {error}") from None
        else:
            self.methods, self.took = rest, bool(rest)
            return not rest
        finally:
            self._listen()
        return False


class _Ring:
    """The keys of this machine that may open the door."""

    def __init__(self, target: Target, answers: Answers, deadline: Deadline) -> None:
        self._target, self._answers, self._deadline = target, answers, deadline
        self.tried: list[str] = []
        self.troubles: list[str] = []
        self._agent: KeyAgent | None = None
        self._held: dict[bytes, str] = {}
        if target.identity_agent:
            try:
                self._agent = KeyAgent(target.identity_agent, deadline.left())
                self._held = self._agent.keys()
            except OSError as error:
                self.troubles.append(f"the ssh-agent: {error}")

    def __enter__(self) -> "_Ring":
        return self

    def __exit__(self, *_: object) -> None:
        if self._agent is not None:
            self._agent.close()

    def offers(self) -> list[Offer]:
        """What is offered, in order."""
        paths = [Path(path) for path in self._target.identity_files]
        files = [file for path in paths if (file := read_key_file(path)) is not None]
        public = [key for path in paths for file in (path, _pub(path)) if (key := read_public_key(file))]
        return in_order(
            files,
            public,
            self._held,
            self._answers.passphrases,
            identities_only=self._target.identities_only,
        )

    def label(self, offer: Offer) -> str:
        """How a key is called in a list of what was tried."""
        return offer.label(self._held.get(offer.public, ""))

    def keys(self, offer: Offer) -> Iterator[paramiko.PKey]:
        """The key of an offer, after its certificates.

        Raises:
            QuestionError: `needs_passphrase`.
        """
        if offer.file is None:
            assert self._agent is not None
            for file in self._certificates():
                certificate = read_public_key(file)
                if certificate != offer.public and certificate_fits(certificate, offer.public):
                    yield _AgentKey(self._agent, self._deadline, offer.public, certificate)
            yield _AgentKey(self._agent, self._deadline, offer.public)
            return
        path = offer.file.path
        if offer.needs_passphrase:
            raise refusals.needs_passphrase(self._target.alias, str(path), wrong=False)
        opened = self._open(offer)
        if opened is None:
            return
        for file in certificate_paths(path, self._target.certificate_files):
            if certificate_fits(read_public_key(file), opened.asbytes()):
                opened.load_certificate(str(file))
                yield opened
                opened.public_blob = None
        yield opened

    def _certificates(self) -> list[Path]:
        """Where the certificates of keys that the agent holds may lie: of any configured key."""
        paths = [Path(path) for path in self._target.identity_files]
        found = [file for path in paths for file in certificate_paths(path, self._target.certificate_files)]
        return list(dict.fromkeys([*found, *map(Path, self._target.certificate_files)]))

    def _open(self, offer: Offer) -> paramiko.PKey | None:
        assert offer.file is not None
        path, kind = offer.file.path, offer.file.key_type
        if kind not in KEY_CLASSES:
            what = kind or "a key in this format"
            self.troubles.append(f"{path}: {what} cannot be used from its file, ssh-add {path} may help")
            return None
        passphrase = self._answers.passphrases.get(str(path)) if offer.file.is_encrypted else None
        try:
            return KEY_CLASSES[kind].from_private_key_file(str(path), passphrase)
        except (OSError, ValueError, *BROKEN) as error:
            if passphrase is None:
                self.troubles.append(f"{path}: {error}")
                return None
            self._answers.passphrases.pop(str(path), None)
            raise refusals.needs_passphrase(self._target.alias, str(path), wrong=True) from None


class _AgentKey(paramiko.PKey):
    """A key that never leaves the ssh-agent."""

    def __init__(self, agent: KeyAgent, deadline: Deadline, public: bytes, certificate: bytes = b"") -> None:
        """`certificate`: to show it under, where the agent itself does not hold that."""
        shown = paramiko.pkey.PublicBlob(type_of(certificate), certificate)
        self.public_blob = shown if certificate else None
        self._agent, self._deadline, self._public = agent, deadline, public

    def get_name(self) -> str:
        return type_of(self._public)

    def asbytes(self) -> bytes:
        return self._public

    def sign_ssh_data(self, data: bytes, algorithm: str | None = None) -> Any:
        try:
            with self._deadline.telling("waiting for the ssh-agent: touch your key, or confirm its use"):
                return self._agent.sign(self._public, data, algorithm or "")
        except OSError:
            return b""  # no signature: the server says no, and the next key has its turn


def _pub(path: Path) -> Path:
    return path.with_name(path.name + ".pub")
