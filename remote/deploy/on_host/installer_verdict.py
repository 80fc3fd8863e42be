"""What an installer died of: judged by every line that it printed, not by the last ones alone."""

import os
import platform
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Protocol

from remote.deploy.on_host.build_progress import BuildError, ProgramFailed, look_for

NO_NETWORK = re.compile(
    "name resolution|Failed to establish a new connection|NewConnectionError|Network is unreachable"
    "|Connection refused|ConnectTimeout|timed out|ProxyError|dns error|error sending request"
    "|No route to host",
    re.IGNORECASE,
)
REACHED = re.compile(r"^Downloading |from versions: (?!none)\S")
"""An index did answer."""
NO_VERSION = re.compile(
    "No matching distribution|ResolutionImpossible|Could not find a version|no version of|unsatisfiable",
    re.IGNORECASE,
)
NO_SPACE = re.compile("No space left|Disk quota exceeded", re.IGNORECASE)
NO_VENV = re.compile("ensurepip|No module named venv")
BAD_HASH = re.compile("DO NOT MATCH THE HASHES|Hash mismatch", re.IGNORECASE)
NO_HASH = re.compile(
    "Hashes are required in --require-hashes|requirements must have their versions pinned"
    "|In `--require-hashes` mode",
    re.IGNORECASE,
)
WITHOUT = re.compile(r"^\s*([A-Za-z0-9][\w.-]*(?:==| @ |<|>|~=|!=)\S*).*(?:from|--hash)")
SIGNS = (NO_SPACE, NO_VENV, BAD_HASH, NO_HASH, NO_NETWORK, NO_VERSION, REACHED, WITHOUT)
PROXIES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "http_proxy", "HTTP_PROXY")
SHOWN = 400
TRUST = "photinus hosts deploy HOST --trust-index"


def last(error: ProgramFailed) -> str:
    """What a program died of: its first line that calls itself an error, else its last."""
    errors = [line for line in error.lines if line.lower().startswith("error")]
    return [*errors, *error.lines[-1:], str(error)][0]


class RequestedParts(Protocol):
    """What the installer was asked for; see `remote.deploy.on_host.build_environment.EnvironmentParts`."""

    @property
    def python(self) -> str: ...  # noqa: D102
    @property
    def needs(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def torch(self) -> str: ...  # noqa: D102
    @property
    def index(self) -> str: ...  # noqa: D102
    @property
    def locked(self) -> str: ...  # noqa: D102


def explain(error: ProgramFailed, kit: RequestedParts) -> BuildError:
    """What the end of an installer means, and what helps."""
    hits = dict(error.hits)
    if not hits:
        for number, line in enumerate(error.lines):
            look_for(SIGNS, line, number, hits)
    shown = cut(" | ".join(error.lines[-4:]))
    if NO_SPACE in hits:
        why = f"the host's disk is full: {cut(hits[NO_SPACE].line)}"
        return BuildError("disk_low", why, "free some space and deploy again")
    if NO_VENV in hits:
        minor = ".".join(map(str, sys.version_info[:2]))
        remedy = f"apt-get install python{minor}-venv on that host, or install uv there"
        return BuildError("refused", f"{kit.python} can make no environment: {shown}", remedy)
    if BAD_HASH in hits:
        return BuildError(
            "refused",
            f"an index gives another file than the one whose hash is known: {shown}",
            f"find out who changed it; if you know and trust that index: {TRUST}",
        )
    if NO_HASH in hits:
        what = cut(hits[WITHOUT].line if WITHOUT in hits else shown)
        why = f"no hash is known of something that would be installed: {what}"
        return BuildError("refused", why, f"if you trust the host's index as it is: {TRUST}")
    if NO_NETWORK in hits and not (REACHED in hits and hits[REACHED].last > hits[NO_NETWORK].last):
        why = f"the host reaches no package index{proxy_words(os.environ)}: {cut(hits[NO_NETWORK].line)}"
        return BuildError("refused", why, f"its network and proxy; or bring the packages: {bring(kit)}")
    if NO_VERSION in hits:
        why = "there are no packages for this host (built ones; no source is compiled)"
        remedy = "another Python (`python:`) or another build of torch (`torch:`) may have them"
        if (
            "from versions: none" in hits[NO_VERSION].line and REACHED not in hits
        ):  # pip without retries says no more
            why += f", or no index answers it{proxy_words(os.environ)}"
            remedy += f"; or its network and proxy; or bring the packages: {bring(kit)}"
        return BuildError("refused", f"{why}: {shown}", remedy)
    return BuildError("refused", f"packages could not be installed: {shown}", "see the lines above")


def bring(kit: RequestedParts) -> str:
    """What fetches this host's packages on a machine that has a network, and brings them over."""
    minor, machine = ".".join(map(str, sys.version_info[:2])), platform.machine()
    tags = ("macosx_14_0", "macosx_11_0") if sys.platform == "darwin" else ("manylinux_2_28", "manylinux2014")
    fetch = (
        f"python3 -m pip download -d photinus-wheels --no-deps --only-binary :all: --python-version {minor} "
        + " ".join(f"--platform {tag}_{machine}" for tag in tags)
    )
    names = re.findall(r"^[^\s\\-]\S*==[^\s\\]+", kit.locked, re.MULTILINE) or list(kit.needs)
    steps = [f"{fetch} {' '.join(names)}"] if names else []
    if kit.torch:
        steps.append(f"{fetch}{f' --index-url {kit.index}' if kit.index else ''} {kit.torch}")
    return "; ".join([*steps, "photinus hosts deploy HOST --wheels photinus-wheels"])


def cut(text: str) -> str:
    """The end of a long text, from a word's beginning on."""
    return text if len(text) <= SHOWN else "... " + text[-SHOWN:].partition(" ")[2]


def proxy_words(env: Mapping[str, str]) -> str:
    """The proxy that the host's environment names, without a password; empty where it names none."""
    name = next((name for name in PROXIES if env.get(name)), "")
    return f" (by {name}={re.sub('//[^/@]*@', '//', env[name])})" if name else ""
