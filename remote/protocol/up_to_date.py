"""Is what lies on a host what this client would deploy?"""

from typing import Literal

from remote.protocol.version import release

Verdict = Literal["same", "older", "newer", "other", "none"]

SENTENCES: dict[Verdict, str] = {
    "same": "up to date",
    "older": "the host's photinus is older than this client's",
    "newer": "the host's photinus is newer than this client's",
    "other": "the host has other files of the same version",
    "none": "nothing is deployed: the host's agent runs from a checkout or an installation of its own",
}


def judge(our_wheel: str, our_version: str, their_wheel: str, their_version: str) -> Verdict:
    """Compare by the wheels' hashes; where they differ, by the versions' numbers."""
    if not their_wheel:
        return "none"
    if our_wheel == their_wheel:
        return "same"
    ours, theirs = release(our_version), release(their_version)
    if ours == theirs:
        return "other"
    return "older" if theirs < ours else "newer"
