"""Getting into a real sshd: keys, passphrases, the agent, and the ways in which one is kept out."""

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from remote.hosts.host import Host
from remote.protocol.errors import QuestionError
from remote.ssh.client import connect
from remote.transport.base import Answers, ConnectAttempt
from tests.remote.ssh.doors import refused, works
from tests.sshd.client import Laptop, make_key
from tests.sshd.server import Sshd, User
from tests.waiting import wait_until

StartSshd = Callable[..., Sshd]


def allow(sshd: Sshd, key: Path) -> None:
    with (sshd.folder / "authorized_keys").open("a") as file:
        file.write(key.with_name(key.name + ".pub").read_text())


def listens(path: Path) -> bool:
    """Whether somebody accepts there: a socket has its name before that."""
    with socket.socket(socket.AF_UNIX) as knocking:
        return knocking.connect_ex(str(path)) == 0


@pytest.fixture
def ssh_agent(
    laptop: Laptop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., None]]:
    """A running ssh-agent; call it to load a key."""
    place = tmp_path / "agent.sock"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(place)], stdout=subprocess.DEVNULL)
    wait_until(lambda: listens(place), 5.0, "the agent to listen")
    monkeypatch.setenv("SSH_AUTH_SOCK", str(place))

    def load(*words: str) -> None:
        subprocess.run(["ssh-add", "-q", *words], check=True, env={**os.environ}, stdin=subprocess.DEVNULL)

    yield load
    agent.kill()
    agent.wait()


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_a_key_of_every_kind_opens_the_door(sshd: Sshd, laptop: Laptop, kind: str) -> None:
    host = sshd.host()
    for old in (laptop.key, laptop.key.with_suffix(".pub")):
        old.unlink()
    key = laptop.ssh_folder / f"id_{kind}"
    make_key(key, kind)
    error = refused(host)
    assert error.code == "auth_refused"
    assert str(key) in error.message
    assert "ssh-copy-id" in error.remedy
    allow(sshd, key)
    assert works(connect(host, ConnectAttempt()))


def test_the_stages_are_told_in_order(sshd: Sshd) -> None:
    stages: list[str] = []
    assert works(connect(sshd.host(), ConnectAttempt(say=stages.append)))
    assert stages == ["dns", "tcp", "ssh", "auth"]


def test_no_key_at_all_names_where_it_was_looked_for(sshd: Sshd, laptop: Laptop) -> None:
    host = sshd.host()
    laptop.key.unlink()
    error = refused(host)
    assert error.code == "auth_refused"
    assert "no key to offer" in error.message
    assert "id_ed25519" in error.message
    assert "ssh-keygen" in error.remedy


def test_an_encrypted_key_asks_once_and_a_wrong_passphrase_again(sshd: Sshd, laptop: Laptop) -> None:
    host = sshd.host()
    make_key(laptop.key, passphrase="open sesame")
    allow(sshd, laptop.key)
    answers = Answers()
    error = refused(host, answers)
    assert isinstance(error, QuestionError)
    assert (error.code, error.question.kind) == ("needs_passphrase", "passphrase")
    assert error.question.subject == str(laptop.key)
    assert "ssh-add" in error.remedy
    answers.take(error.question, "wrong")
    again = refused(host, answers)
    assert isinstance(again, QuestionError)
    assert "does not open" in again.message
    answers.take(again.question, "open sesame")
    assert works(connect(host, ConnectAttempt(answers=answers)))
    assert "sesame" not in repr(answers)


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_encrypted_keys_of_other_kinds_open_too(sshd: Sshd, laptop: Laptop, kind: str) -> None:
    host = sshd.host()
    laptop.key.unlink()
    key = laptop.ssh_folder / f"id_{kind}"
    make_key(key, kind, "open sesame")
    allow(sshd, key)
    answers = Answers(passphrases={str(key): "open sesame"})
    assert works(connect(host, ConnectAttempt(answers=answers)))


def test_no_passphrase_is_asked_where_another_key_opens(sshd: Sshd, laptop: Laptop) -> None:
    make_key(laptop.ssh_folder / "id_ecdsa", "ecdsa", "secret")
    assert works(connect(sshd.host(), ConnectAttempt()))


def test_the_agents_key_opens_and_only_it(
    sshd: Sshd, laptop: Laptop, tmp_path: Path, ssh_agent: Callable[..., None]
) -> None:
    host = sshd.host()
    for old in (laptop.key, laptop.key.with_suffix(".pub")):
        old.unlink()
    for kind in ("ed25519", "ecdsa"):
        make_key(tmp_path / kind, kind)
    ssh_agent(str(tmp_path / "ed25519"))
    assert refused(host).code == "auth_refused"
    allow(sshd, tmp_path / "ecdsa")
    ssh_agent(str(tmp_path / "ecdsa"))
    assert works(connect(host, ConnectAttempt()))


def test_an_encrypted_key_in_the_agent_needs_no_passphrase(
    sshd: Sshd, laptop: Laptop, ssh_agent: Callable[..., None], tmp_path: Path
) -> None:
    ssh_agent(str(laptop.key))
    words = ["ssh-keygen", "-q", "-p", "-P", "", "-N", "secret", "-f", str(laptop.key)]
    subprocess.run(words, check=True)
    assert works(connect(sshd.host(), ConnectAttempt()))
    laptop.add_config("Host *\n  IdentityAgent none")
    assert refused(sshd.host()).code == "needs_passphrase"


def test_identities_only_keeps_the_agents_other_keys_at_home(
    sshd: Sshd, laptop: Laptop, tmp_path: Path, ssh_agent: Callable[..., None]
) -> None:
    for number in range(8):
        make_key(tmp_path / f"k{number}")
        ssh_agent(str(tmp_path / f"k{number}"))
    host = sshd.host()
    error = refused(host)
    assert error.code == "auth_refused"
    assert "hung up after" in error.message
    assert "IdentitiesOnly" in error.remedy
    laptop.add_config("Host *\n  IdentitiesOnly yes")
    assert works(connect(host, ConnectAttempt()))


def test_an_agent_that_will_not_sign_does_not_end_the_attempt(
    sshd: Sshd,
    laptop: Laptop,
    tmp_path: Path,
    ssh_agent: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSH_ASKPASS", "/bin/false")
    make_key(tmp_path / "asks")
    allow(sshd, tmp_path / "asks")
    ssh_agent("-c", str(tmp_path / "asks"))  # each use must be confirmed, and nobody does
    assert works(connect(sshd.host(), ConnectAttempt()))


def test_an_agent_that_is_gone_is_passed_over(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "none"))
    assert works(connect(sshd.host(), ConnectAttempt()))


def test_a_certificate_opens_where_the_bare_key_does_not(sshd: Sshd, laptop: Laptop, tmp_path: Path) -> None:
    host = sshd.host()
    make_key(laptop.key)
    make_key(tmp_path / "ca")
    assert refused(host).code == "auth_refused"
    subprocess.run(
        [
            "ssh-keygen",
            "-q",
            "-s",
            tmp_path / "ca",
            "-I",
            "me",
            "-n",
            "plain",
            laptop.key.with_suffix(".pub"),
        ],
        check=True,
    )
    sshd.options["TrustedUserCAKeys"] = str(tmp_path / "ca.pub")
    sshd.restart()
    assert works(connect(host, ConnectAttempt()))
    beside = laptop.key.with_name("id_ed25519-cert.pub")
    beside.rename(tmp_path / "elsewhere.pub")
    assert refused(host).code == "auth_refused"
    laptop.add_config(f"Host *\n  CertificateFile {tmp_path}/elsewhere.pub")
    assert works(connect(host, ConnectAttempt()))


@pytest.mark.parametrize(
    ("where", "kind"),
    [("beside", "ed25519"), ("beside", "rsa"), ("configured", "ecdsa"), ("stale in the agent", "ed25519")],
)
def test_a_certificate_in_a_file_is_joined_to_the_agents_key(
    sshd: Sshd, laptop: Laptop, tmp_path: Path, ssh_agent: Callable[..., None], where: str, kind: str
) -> None:
    """As with a CA that signs for an hour: the key was loaded once, the certificate comes anew each time."""
    host = sshd.host()
    for name in ("ca", "other"):
        make_key(tmp_path / name)
    laptop.key.unlink()
    key = laptop.ssh_folder / "id_signed"
    make_key(key, kind)
    laptop.add_config("Host *\n  IdentityFile ~/.ssh/id_signed")
    if where == "stale in the agent":
        sign(tmp_path / "other", key)
    ssh_agent(str(key))
    if where == "stale in the agent":
        subprocess.run(["ssh-add", "-q", "-d", key.with_name("id_signed.pub")], check=True)
    key.unlink()
    sign(tmp_path / "ca", key)
    sshd.options["TrustedUserCAKeys"] = str(tmp_path / "ca.pub")
    sshd.restart()
    if where == "configured":
        key.with_name("id_signed-cert.pub").rename(tmp_path / "elsewhere.pub")
        assert refused(host).code == "auth_refused"
        laptop.add_config(f"Host *\n  CertificateFile {tmp_path}/elsewhere.pub")
    assert works(connect(host, ConnectAttempt()))


def sign(authority: Path, key: Path) -> None:
    words = ["ssh-keygen", "-q", "-s", str(authority), "-I", "me", "-n", "plain", f"{key}.pub"]
    subprocess.run(words, check=True)


def test_a_refusal_names_each_key_of_the_agent(
    sshd: Sshd, laptop: Laptop, tmp_path: Path, ssh_agent: Callable[..., None]
) -> None:
    host = sshd.host()
    make_key(laptop.key)
    for name in ("one", "two"):
        make_key(tmp_path / name)
        subprocess.run(
            ["ssh-keygen", "-q", "-c", "-C", f"card \x1b[2J{name}", "-f", tmp_path / name], check=True
        )
        ssh_agent(str(tmp_path / name))
    said = refused(host).message
    assert said.count(" of the ssh-agent") == 2
    assert "card one SHA256:" in said
    assert "card two SHA256:" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"PubkeyAuthentication": "no", "PasswordAuthentication": "yes"}, "only password"),
        ({"AuthenticationMethods": "publickey,password", "PasswordAuthentication": "yes"}, "as well"),
        ({"AuthenticationMethods": "publickey,publickey"}, "took the key and wants another key as well"),
    ],
)
def test_passwords_are_not_offered_and_that_is_said(
    start_sshd: StartSshd, options: dict[str, str], said: str
) -> None:
    sshd = start_sshd([User("plain")], options=options)
    error = refused(sshd.host())
    assert error.code == "auth_refused"
    assert said in error.message
    assert error.remedy


def test_a_key_that_cannot_be_read_is_named_and_the_next_one_tried(sshd: Sshd, laptop: Laptop) -> None:
    host = sshd.host()
    pkcs8 = laptop.ssh_folder / "id_rsa"
    make_key(pkcs8, "rsa")
    words = ["ssh-keygen", "-q", "-p", "-P", "", "-N", "", "-m", "PKCS8", "-f", str(pkcs8)]
    subprocess.run(words, check=True)
    (laptop.ssh_folder / "id_ecdsa").write_text("-----BEGIN EC PRIVATE KEY-----\n????\n")
    assert works(connect(host, ConnectAttempt()))
    laptop.key.unlink()
    error = refused(host)
    assert error.code == "auth_refused"
    assert str(pkcs8) in error.message
    assert "id_ecdsa" in error.message
    assert "ssh-add" in error.message


def test_an_unknown_user_is_refused_like_a_wrong_key(sshd: Sshd, laptop: Laptop) -> None:
    """Also one whom no address of ours could name: a configuration may."""
    host = sshd.host()
    error = refused(Host("box", address=sshd.address("nobody-here")))
    assert error.code == "auth_refused"
    laptop.add_config(f"Host odd\n  HostName 127.0.0.1\n  Port {sshd.port}\n  User CORP\\ada")
    odd = refused(Host("box", address="odd"))
    assert odd.code == "auth_refused"
    assert f"ssh-copy-id -p {sshd.port} 'CORP\\ada@127.0.0.1'" in odd.remedy
    assert works(connect(host, ConnectAttempt()))


@pytest.mark.parametrize(
    ("options", "is_safe"),
    [
        ({"Ciphers": "aes256-cbc"}, False),
        ({"MACs": "hmac-sha1"}, False),
        ({"KexAlgorithms": "diffie-hellman-group14-sha1"}, False),
        ({"KexAlgorithms": "diffie-hellman-group-exchange-sha256"}, False),
        ({"Ciphers": "aes256-ctr", "MACs": "hmac-sha2-512-etm@openssh.com"}, True),
        ({"Ciphers": "aes256-gcm@openssh.com", "KexAlgorithms": "curve25519-sha256@libssh.org"}, True),
    ],
)
def test_weak_algorithms_are_not_spoken(
    start_sshd: StartSshd, options: dict[str, str], is_safe: bool
) -> None:
    host = start_sshd([User("plain")], options=options).host()
    if is_safe:
        assert works(connect(host, ConnectAttempt()))
        return
    error = refused(host)
    assert error.code == "refused"
    assert "no safe algorithm" in error.message


@pytest.mark.parametrize(
    ("options", "spoken"),
    [
        ({}, ("aes128-gcm@openssh.com",)),
        ({"Ciphers": "aes128-ctr"}, ("aes128-ctr", "hmac-sha2-256-etm@openssh.com")),
    ],
)
def test_the_best_that_both_know_is_spoken(
    start_sshd: StartSshd, options: dict[str, str], spoken: tuple[str, ...]
) -> None:
    client = connect(start_sshd([User("plain")], options=options).host(), ConnectAttempt())
    transport: Any = client._transports[-1]
    assert transport.remote_cipher == spoken[0]
    assert spoken[1:] in ((), (transport.remote_mac,))
    client.close()


def test_nothing_secret_stands_in_what_paramiko_would_log(
    sshd: Sshd, capfd: pytest.CaptureFixture[str]
) -> None:
    sshd.options["MACs"] = "hmac-sha1"
    sshd.restart()
    refused(sshd.host())
    out, err = capfd.readouterr()
    assert out + err == "", "a log line would be written over the screen"


def test_a_key_that_waits_for_a_person_says_so(
    sshd: Sshd, laptop: Laptop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a token that must be touched: nothing comes back from the agent until somebody agrees."""
    monkeypatch.setattr("remote.ssh.deadline.PERSON_S", 0.1)
    agreed, ask, place = tmp_path / "agreed", tmp_path / "ask", tmp_path / "agent.sock"
    ask.write_text(f"#!/bin/sh\nwhile [ ! -e {agreed} ]; do sleep 0.02; done\n")
    ask.chmod(0o755)
    asking = {"SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"}
    agent = subprocess.Popen(
        ["ssh-agent", "-D", "-a", str(place)], stdout=subprocess.DEVNULL, env={**os.environ, **asking}
    )
    stages: list[str] = []

    def say(stage: str) -> None:
        stages.append(stage)
        if "touch your key" in stage:
            agreed.touch()

    try:
        wait_until(lambda: listens(place), 5.0, "the agent to listen")
        monkeypatch.setenv("SSH_AUTH_SOCK", str(place))
        subprocess.run(["ssh-add", "-q", "-c", str(laptop.key)], check=True, stdin=subprocess.DEVNULL)
        laptop.key.unlink()
        assert works(connect(sshd.host(), ConnectAttempt(say=say)))
    finally:
        agent.kill()
        agent.wait()
    assert stages[:4] == ["dns", "tcp", "ssh", "auth"]
    assert stages[4].startswith("auth (waiting for the ssh-agent")
