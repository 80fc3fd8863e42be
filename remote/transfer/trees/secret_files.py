"""Files that must not leave this machine by accident: by their name, and by the form of what is in them."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

NAMES = (
    ".env",
    ".env.*",
    "*.env",
    ".envrc",
    "*.pem",
    "*.ppk",
    "*.keystore",
    "*.p12",
    "*.pfx",
    "*.jks",
    "*.kdbx",
    "id_rsa*",
    "id_dsa*",
    "id_ecdsa*",
    "id_ed25519*",
    "credentials",
    "credentials.*",
    ".netrc",
    ".pgpass",
    ".pypirc",
    ".git-credentials",
    ".htpasswd",
    ".dockercfg",
    "kaggle.json",
    "secrets.*",
)
HARMLESS = ("*.pub", "*.example", "*.sample", "*.template", "*.dist", "secrets.py", "credentials.py")
# What services issue, in forms that stand in no source file by accident: a hash of 40 digits is none.
_ISSUED = re.compile(
    rb"(?<![\w-])(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|hf_[A-Za-z0-9]{30,}"
    rb"|A(?:KIA|SIA)[A-Z0-9]{16}(?![A-Z0-9])|xox[abpr]-[0-9]{6,}-[\w-]{8,}"
    rb"|sk-(?:proj-|ant-[a-z0-9]+-)?(?=[\w-]{0,40}[0-9])[A-Za-z0-9_]{32,}|npm_[A-Za-z0-9]{36}|pypi-AgE[\w-]{16,}"
    rb"|[sr]k_live_[A-Za-z0-9]{20,}|xapp-[0-9]-[A-Z0-9]{6,}-[\w-]{16,}"
    rb"|AIza[\w-]{35}|eyJ[\w-]{16,}\.eyJ[\w-]{16,}\.[\w-]{16,})"
    rb"|-----BEGIN (?:[A-Z]+ )?PRIVATE KEY(?: BLOCK)?-----"
)
OVERLAP = 256


def why_secret(path: str) -> str:
    """What the name of a file says of it; empty where nothing."""
    name = PurePosixPath(path).name.lower()
    if any(fnmatchcase(name, one) for one in HARMLESS):
        return ""
    found = next((one for one in NAMES if fnmatchcase(name, one)), "")
    return f"has the name of a secret ({found})" if found else ""


def looks_secret(chunks: Iterable[bytes]) -> bool:
    """Whether a token or a private key stands in a file."""
    tail = b""
    for data in chunks:
        if _ISSUED.search(tail + data):
            return True
        tail = data[-OVERLAP:]
    return False
