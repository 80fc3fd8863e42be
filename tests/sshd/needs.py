"""What this machine lacks for the tests over SSH: a skip with the reason, an error where CI=true."""

import functools
import os
import shutil
import subprocess
from pathlib import Path

import pytest

INSTALL = "install it: .ci/ssh-server (Debian, Fedora), or see what that prints"
ADMIN_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/sbin:/usr/libexec"
NSS_WRAPPER = (
    "/usr/lib/*/libnss_wrapper.so",
    "/usr/lib64/libnss_wrapper.so",
    "/usr/lib/libnss_wrapper.so",
    "/usr/local/lib/libnss_wrapper.so",
)


def program(name: str) -> str:
    """Path of a program, looked for where only an administrator's PATH would; empty where there is none."""
    return shutil.which(name, path=ADMIN_PATH) or ""


def nss_wrapper() -> str:
    """Path of libnss_wrapper; empty where there is none."""
    found = (str(path) for pattern in NSS_WRAPPER for path in Path("/").glob(pattern.lstrip("/")))
    return next(found, "")


@functools.cache
def lacking_for_sshd() -> str:
    """Why no sshd of our own can be started here; empty where one can."""
    missing = [name for name in ("sshd", "ssh", "ssh-keygen") if not program(name)]
    if not nss_wrapper():
        missing.append("libnss-wrapper")
    return f"no {' and no '.join(missing)} here; {INSTALL}" if missing else ""


def lacking_for_namespaces() -> str:
    """Which programs for hosts behind a cable are missing here; empty: none."""
    missing = [name for name in ("unshare", "nsenter", "ip", "iptables") if not program(name)]
    return f"no {' and no '.join(missing)} here; {INSTALL}" if missing else ""


@functools.cache
def forbidden_namespaces() -> str:
    """Why no network namespace may be made here; empty where one may."""
    veth = ("link", "add", "pht0", "type", "veth", "peer", "name", "pht1")
    tried = subprocess.run(
        [program("unshare"), "--net", program("ip"), *veth], capture_output=True, text=True, check=False
    )
    return f"network namespaces are not permitted here: {tried.stderr.strip()}" if tried.returncode else ""


def need_sshd() -> None:
    """Skip the test, or fail it where CI=true, if no sshd can be started here."""
    _need(lacking_for_sshd())


def need_namespaces() -> None:
    """Skip the test where network namespaces are forbidden; a missing program fails it where CI=true."""
    _need(lacking_for_sshd() or lacking_for_namespaces())
    if reason := forbidden_namespaces():
        pytest.skip(reason)


def _need(lack: str) -> None:
    if not lack:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(lack)
    pytest.skip(lack)
