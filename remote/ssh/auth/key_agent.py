"""The operator's ssh-agent: which keys it holds, and signatures by them. They never leave it."""

import socket
import struct

from remote.ssh.known_hosts import type_of

LIST, LISTED, SIGN, SIGNED = 11, 12, 13, 14
RSA_FLAGS = {"rsa-sha2-256": 2, "rsa-sha2-512": 4}
MOST = 1 << 18


class KeyAgent:
    """A connection to an agent's socket. Used by one thread at a time."""

    def __init__(self, path: str, timeout_s: float) -> None:
        """Connect.

        Raises:
            OSError: nobody listens there.
        """
        self._link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._link.settimeout(timeout_s)
            self._link.connect(path)
        except OSError:
            self._link.close()
            raise

    def close(self) -> None:
        """Hang up."""
        self._link.close()

    def keys(self) -> dict[bytes, str]:
        """The public keys that it can sign for, each with its comment.

        Raises:
            OSError: it does not say.
        """
        rest = self._ask(bytes([LIST]), LISTED)
        found: dict[bytes, str] = {}
        try:
            (count,) = struct.unpack(">I", rest[:4])
            rest = rest[4:]
            for _ in range(count):
                key, rest = _string(rest)
                comment, rest = _string(rest)
                if type_of(key):
                    found.setdefault(key, comment.decode("utf-8", "replace"))
        except struct.error:
            raise OSError("the ssh-agent answered with something malformed") from None
        return found

    def sign(self, key: bytes, data: bytes, algorithm: str) -> bytes:
        """A signature of `data` by `key`.

        Raises:
            OSError: it will not (the key is gone, or the operator said no).
        """
        flags = RSA_FLAGS.get(algorithm.removesuffix("-cert-v01@openssh.com"), 0)
        asked = bytes([SIGN]) + _packed(key) + _packed(data) + struct.pack(">I", flags)
        try:
            return _string(self._ask(asked, SIGNED))[0]
        except struct.error:
            raise OSError("the ssh-agent answered with something malformed") from None

    def _ask(self, question: bytes, wanted: int) -> bytes:
        self._link.sendall(_packed(question))
        (size,) = struct.unpack(">I", self._read(4))
        if not 0 < size <= MOST:
            raise OSError("the ssh-agent answered with something malformed")
        answer = self._read(size)
        if answer[0] != wanted:
            raise OSError("the ssh-agent refused")
        return answer[1:]

    def _read(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            piece = self._link.recv(size - len(data))
            if not piece:
                raise OSError("the ssh-agent hung up")
            data += piece
        return bytes(data)


def _packed(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _string(data: bytes) -> tuple[bytes, bytes]:
    (size,) = struct.unpack(">I", data[:4])
    if size > len(data) - 4:
        raise struct.error("cut short")
    return data[4 : 4 + size], data[4 + size :]
