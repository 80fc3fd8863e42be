"""`hosts test` and real servers: the cause in the far end's words, and remedies that can be pasted."""

import shlex
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from remote.actions.connectivity import ConnectivityReport, check_connectivity
from remote.hosts.address import ssh_words
from remote.hosts.host import Host
from remote.protocol.errors import QuestionError
from remote.ssh.client import connect
from remote.transport.base import ConnectAttempt
from tests.remote.ssh.doors import talker, works
from tests.sshd.client import Laptop, make_key
from tests.sshd.server import Sshd, User

StartSshd = Callable[..., Sshd]
GUARD = "[[ $- == *i* ]] || return"


def never(error: QuestionError) -> str:
    raise error


def walk(host: Host) -> ConnectivityReport:
    return check_connectivity(host, lambda _step: None, never, agent=False)


def failure(host: Host) -> tuple[str, str, str]:
    step = walk(host).failure
    assert step is not None
    return step.name, step.said, step.remedy


@pytest.mark.parametrize(
    ("subsystem", "files"), [("sftp internal-sftp", "SFTP"), ("other /bin/false", "a small server of ours")]
)
def test_a_good_host_passes_every_step(start_sshd: StartSshd, subsystem: str, files: str) -> None:
    report = walk(start_sshd(options={"Subsystem": subsystem}).host())
    assert files in report.steps[-1].said
    assert [step.name for step in report.steps if step.ok] == [
        *("config", "dns", "tcp", "host key", "auth", "shell", "python", "files")
    ]
    assert report.failure is None


NO_TTY = "open terminal failed: not a terminal"
SHELLS = {
    "expired": (User("u", "echo 'Your password has expired.' >&2; exit 1"), "has expired", "ssh -t -p"),
    "nologin": (
        User("u", shell="/usr/sbin/nologin"),
        "currently not available",
        "with a login shell",
    ),
    "tmux": (User("u", f"echo {NO_TTY} >&2; exit 1"), "not a terminal", GUARD),
    "mute": (User("u", "exit 0"), "code 0", "`exec`"),
    "replaced": (User("u", "exec sh"), "code 0", "`exec`"),
    "false": (User("u", shell="/bin/false"), "code 1", "no login shell"),
    "escapes": (
        User("u", r"printf '\033]0;x\007go \033[2Jaway'; exit 9"),
        "a command: go away",
        "ForceCommand",
    ),
}


@pytest.mark.parametrize(("user", "said", "remedy"), SHELLS.values(), ids=SHELLS)
def test_a_shell_that_runs_no_command_is_quoted(
    start_sshd: StartSshd, user: User, said: str, remedy: str
) -> None:
    step, why, help_ = failure(start_sshd([user]).host("u"))
    assert step == "shell"
    assert said in why
    assert remedy in help_
    assert "\x1b" not in why


def test_a_forced_command_is_quoted(start_sshd: StartSshd) -> None:
    sshd = start_sshd(options={"ForceCommand": "echo This account is for backups only"})
    step, why, remedy = failure(sshd.host())
    assert step == "shell"
    assert "This account is for backups only" in why
    assert "ForceCommand" in remedy


def test_a_banner_is_quoted_with_the_refusal(sshd: Sshd, laptop: Laptop, tmp_path: Path) -> None:
    (tmp_path / "banner").write_text("Your account has expired;\n\x1b[2Jplease ask the desk.\n")
    sshd.options["Banner"] = str(tmp_path / "banner")
    sshd.restart()
    host = sshd.host()
    assert works(connect(host, ConnectAttempt())), "a banner alone keeps nobody out"
    make_key(laptop.key)
    step, why, remedy = failure(host)
    assert step == "auth"
    assert "it said: Your account has expired; please ask the desk." in why
    assert f"ssh-copy-id -p {sshd.port} plain@127.0.0.1" in remedy


def test_a_server_that_hangs_up_is_quoted(start_sshd: StartSshd, laptop: Laptop) -> None:
    sshd = start_sshd(options={"MaxAuthTries": "1"})
    make_key(laptop.key)
    step, why, remedy = failure(sshd.host())
    assert (step, "Too many authentication failures" in why) == ("auth", True)
    assert "1 key:" in why
    assert "IdentitiesOnly" not in remedy, "one key was offered: it cannot have been too many"


@pytest.mark.parametrize(
    ("words", "quoted"),
    [
        (b"Not allowed at this time\r\n", "Not allowed at this time"),
        (b"Exceeded MaxStartups", "Exceeded MaxStartups"),
        (b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n<html>", "HTTP/1.1 400 Bad Request"),
        (b"SSH-1.5-old\r\n", "before 2006: SSH-1.5-old"),
        (b"y" * 300_000, "yyyyyyyy"),
        (b"", "it said nothing"),
    ],
)
def test_what_is_no_ssh_server_is_quoted(laptop: Laptop, words: bytes, quoted: str) -> None:
    with talker(words) as server:
        step, why, remedy = failure(Host("box", address=f"x@127.0.0.1:{server.port}"))
    assert step == "ssh"
    assert quoted in why
    assert f"ssh -v -p {server.port} x@127.0.0.1" in remedy or "SSH-1" in quoted


@pytest.mark.parametrize(
    ("address", "name"),
    [("x@127.0.0.1:2", "127.0.0.1"), ("x@[::1]:2", "::1"), ("[fe80::1%lo]:2", "fe80::1%lo")],
)
def test_an_address_in_a_remedy_is_one_that_openssh_takes(laptop: Laptop, address: str, name: str) -> None:
    """Pasted, with nothing but `-G` added."""
    told = subprocess.run(
        ["ssh", "-G", *shlex.split(ssh_words(address))],
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    ).stdout
    assert f"hostname {name}\n" in told
    assert "port 2\n" in told
    assert "user x\n" in told or not address.startswith("x@")


def test_what_a_deploy_would_refuse_is_said_before_it(start_sshd: StartSshd, tmp_path: Path) -> None:
    sshd = start_sshd()
    host = replace(sshd.host(), home=str(tmp_path / "with space"))
    step, why, remedy = failure(host)
    assert step == "python"
    assert "characters that a shell may read" in why
    assert "--home" in remedy
