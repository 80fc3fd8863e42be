"""What a server offers to speak, from its own first message, for the sentence that nothing fits. Pure."""

import struct
from collections.abc import Mapping, Sequence

from remote.protocol.sanitise import clean_line

COOKIE = 16
SETTINGS = ("KexAlgorithms", "HostKeyAlgorithms", "Ciphers", "", "MACs")
"""The name lists of SSH_MSG_KEXINIT in their order (RFC 4253, 7.1), each as sshd_config calls it."""
COMPLAINTS = {"kex": "KexAlgorithms", "host key": "HostKeyAlgorithms", "ciphers": "Ciphers", "macs": "MACs"}
KNOWN_TO_MOST = {
    "KexAlgorithms": "curve25519-sha256@libssh.org",
    "HostKeyAlgorithms": "ssh-ed25519",
    "Ciphers": "aes256-gcm@openssh.com",
    "MACs": "hmac-sha2-256-etm@openssh.com",
}
"""What we speak as well, and every OpenSSH of ten years: of a name that it does not know no sshd starts."""
NO_ALGORITHMS = ("ext-info-", "kex-strict-")
SHOWN = 6


def offered(message: bytes) -> dict[str, list[str]]:
    """Setting of sshd_config -> names, of a KEXINIT without its type byte; empty where it is cut short."""
    found: dict[str, list[str]] = {}
    rest = message[COOKIE:]
    for setting in SETTINGS:
        if len(rest) < 4:
            return {}
        (size,) = struct.unpack(">I", rest[:4])
        if len(rest) < 4 + size:
            return {}
        names = rest[4 : 4 + size].decode("ascii", "replace").split(",")
        found[setting] = [clean_line(one) for one in names if one and not one.startswith(NO_ALGORITHMS)]
        rest = rest[4 + size :]
    return found


def nothing_fits(complaint: str, theirs: Mapping[str, Sequence[str]]) -> tuple[str, str]:
    """Two texts: what the host offers in vain, and a line of sshd_config that would do; empty if unknown.

    `complaint`: Paramiko's words; `theirs`: by settings of sshd_config.
    """
    setting = next((name for words, name in COMPLAINTS.items() if words in complaint), "")
    if not theirs.get(setting):
        return "", ""
    names = theirs[setting]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{setting} of the host: {', '.join(names[:SHOWN])}{more}", f"{setting} +{KNOWN_TO_MOST[setting]}"
