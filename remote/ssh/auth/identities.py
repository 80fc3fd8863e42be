"""Which keys are offered to a host, in which order. Pure: files and the agent's keys in, an order out."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from remote.ssh.auth.key_file import KeyFile


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

    @property
    def label(self) -> str:
        """How it is called in a list of what was tried."""
        return str(self.file.path) if self.file else "a key of the ssh-agent"


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
    """Whether a certificate is of this key: behind its type and nonce stand the key's own fields."""
    fields = _after(_after(certificate))
    own = _after(public)
    return bool(own) and fields.startswith(own)


def certificate_paths(path: Path, configured: Iterable[str]) -> list[Path]:
    """Where a certificate of the key in `path` may lie."""
    return [*map(Path, configured), path.with_name(path.name + "-cert.pub")]


def _after(data: bytes) -> bytes:
    """What stands behind the first field."""
    size = int.from_bytes(data[:4], "big")
    return data[4 + size :] if len(data) >= 4 + size else b""
