"""Which keys are offered to a host, in which order. Pure: files and the agent's keys in, an order out."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from remote.protocol.sanitise import clean_line
from remote.ssh.auth.key_file import KeyFile
from remote.ssh.known_hosts import fingerprint, type_of

FIELDS = {"ssh-ed25519": 1, "ssh-rsa": 2, "ecdsa-": 2, "sk-ssh-ed25519": 2, "sk-ecdsa-": 3, "ssh-dss": 4}
"""Kind of key -> how many fields are the key's own."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One key to offer.

    Attributes:
        public: the key's bytes; empty where only opening its file will tell.
        file: where its private half lies; None: in the ssh-agent.
        needs_passphrase: it is encrypted and its passphrase is not known yet.
    """

    public: bytes
    file: KeyFile | None = None
    needs_passphrase: bool = False

    def label(self, comment: str = "") -> str:
        """How it is called in a list of what was tried; `comment`: the agent's."""
        if self.file:
            return str(self.file.path)
        words = " ".join(clean_line(comment).split())[:60]
        return f"{words + ' ' if words else ''}{fingerprint(self.public)} of the ssh-agent"


def in_order(
    files: Iterable[KeyFile],
    public_only: Collection[bytes],
    agent: Iterable[bytes],
    passphrases: Collection[str],
    *,
    identities_only: bool,
) -> list[Offer]:
    """Keys of the agent first (those that the configuration names before the rest), files, then locked files.

    A locked key is last, so that nobody is asked for a passphrase that another key makes unnecessary.

    Args:
        files: private keys that the configuration names.
        public_only: public keys that it names and whose private half is not on disk.
        agent: public keys that the agent holds.
        passphrases: paths of the keys whose passphrase is known.
        identities_only: offer nothing that the configuration does not name.
    """
    listed, held = list(files), list(dict.fromkeys(agent))
    named = [file.public for file in listed if file.public] + list(public_only)
    first = [Offer(key) for key in named if key in held]
    rest = [] if identities_only else [Offer(key) for key in held if key not in named]
    own = [file for file in listed if file.public not in held or not file.public]
    open_ = [Offer(file.public, file) for file in own if not file.is_encrypted]
    unlocked = [Offer(f.public, f) for f in own if f.is_encrypted and str(f.path) in passphrases]
    locked = [Offer(f.public, f, True) for f in own if f.is_encrypted and str(f.path) not in passphrases]
    return [*first, *rest, *open_, *unlocked, *locked]


def certificate_fits(certificate: bytes, public: bytes) -> bool:
    """Whether a certificate is of this key, or of the key that another certificate is of."""
    own = _own_fields(public)
    return bool(own) and "-cert-" in type_of(certificate) and _own_fields(certificate) == own


def _own_fields(key: bytes) -> bytes:
    """The fields of a key's own: behind its type, and in a certificate behind a nonce."""
    kind = type_of(key)
    rest = _after(_after(key)) if "-cert-" in kind else _after(key)
    count = next((count for name, count in FIELDS.items() if kind.startswith(name)), 0)
    end = rest
    for _ in range(count):
        end = _after(end)
    return rest[: len(rest) - len(end)]


def certificate_paths(path: Path, configured: Iterable[str]) -> list[Path]:
    """Where a certificate of the key in `path` may lie."""
    return [*map(Path, configured), path.with_name(path.name + "-cert.pub")]


def _after(data: bytes) -> bytes:
    """What stands behind the first field."""
    size = int.from_bytes(data[:4], "big")
    return data[4 + size :] if len(data) >= 4 + size else b""
