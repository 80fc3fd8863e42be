"""What a private key's file says without its passphrase: which key it is, and whether it is encrypted."""

import base64
import binascii
import struct
from dataclasses import dataclass
from pathlib import Path

from remote.ssh.known_hosts import type_of

MAGIC = b"openssh-key-v1\0"
MOST = 1 << 16


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A private key on disk.

    Attributes:
        public: its public key's bytes; empty where the file does not tell.
        key_type: such as `ssh-ed25519`; empty where the file does not tell, or cannot be used.
        is_encrypted: whether it needs a passphrase.
    """

    path: Path
    public: bytes = b""
    key_type: str = ""
    is_encrypted: bool = False


def read_key_file(path: Path) -> KeyFile | None:
    """What can be told of a private key's file; None where there is no file, or no private key in it."""
    try:
        with path.open("rb") as file:
            text = file.read(MOST).decode("ascii", "replace")
    except OSError:
        return None
    if "-----BEGIN OPENSSH PRIVATE KEY-----" in text:
        return _openssh(path, text)
    if " PRIVATE KEY-----" not in text:
        return None
    if "BEGIN PRIVATE KEY" in text or "BEGIN ENCRYPTED PRIVATE KEY" in text:
        return KeyFile(path)  # PKCS#8, which Paramiko does not read
    kind = {"RSA": "ssh-rsa", "EC": "ecdsa-sha2-nistp256"}.get(text.partition("BEGIN ")[2].split(" ")[0], "")
    public = read_public_key(path.with_name(path.name + ".pub"))
    locked = "ENCRYPTED" in text
    return KeyFile(path, public, type_of(public) or kind, locked)


def _openssh(path: Path, text: str) -> KeyFile | None:
    body = "".join(line for line in text.splitlines() if line and not line.startswith("-"))
    try:
        data = base64.b64decode(body)
        if not data.startswith(MAGIC):
            return None
        cipher, rest = _string(data[len(MAGIC) :])
        _, rest = _string(rest)
        _, rest = _string(rest)
        public, _ = _string(rest[4:])
    except (binascii.Error, struct.error, ValueError):
        return None
    return KeyFile(path, public, type_of(public), cipher != b"none")


def read_public_key(path: Path) -> bytes:
    """The public key (or certificate) that stands in a file; empty if none does."""
    try:
        with path.open("rb") as file:
            words = file.read(MOST).decode("utf-8", "replace").split()
        return base64.b64decode(words[1], validate=True)
    except (OSError, IndexError, binascii.Error, ValueError):
        return b""


def _string(data: bytes) -> tuple[bytes, bytes]:
    (size,) = struct.unpack(">I", data[:4])
    if size > len(data) - 4:
        raise ValueError("cut short")
    return data[4 : 4 + size], data[4 + size :]
