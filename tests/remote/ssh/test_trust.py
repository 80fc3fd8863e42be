"""Host keys of a real sshd: unknown, accepted, changed, revoked; and how the user's own files are read."""

import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from remote.hosts.client_state import client_folder, make_client_folder
from remote.protocol.errors import CallError, QuestionError
from remote.ssh.client import connect
from remote.ssh.config.effective import Target
from remote.ssh.known_hosts import fingerprint
from remote.ssh.trust import Trust
from remote.transport.base import Answers, ConnectAttempt
from tests.remote.ssh.doors import refused, works
from tests.sshd.client import Laptop, make_key
from tests.sshd.server import Sshd


@pytest.mark.chaos
@pytest.mark.claim("an unknown, changed or revoked host key is refused, with its fingerprints")
def test_an_unknown_key_is_a_question_and_its_acceptance_is_stored(sshd: Sshd, laptop: Laptop) -> None:
    host = sshd.host(trusted=False)
    answers = Answers(accepted_keys={"SHA256:of-another-key"})
    error = refused(host, answers)
    assert isinstance(error, QuestionError)
    assert error.code == "key_unknown"
    question = error.question
    assert (question.kind, question.host, question.key_type) == ("host_key", "box", "ssh-ed25519")
    assert question.fingerprint == sshd.host_key_fingerprint
    assert question.subject == f"127.0.0.1:{sshd.port}"
    assert f"--accept-host-key {sshd.host_key_fingerprint}" in error.remedy
    assert not client_folder("known_hosts").exists(), "nothing is stored before the answer"

    answers.take(question, "")
    assert works(connect(host, ConnectAttempt(answers=answers)))
    own = client_folder("known_hosts")
    assert own.read_text() == f"[127.0.0.1]:{sshd.port} {sshd.host_key_line}\n"
    assert stat.S_IMODE(own.stat().st_mode) == 0o600
    assert works(connect(host, ConnectAttempt())), "known from now on, without an answer"
    assert len(own.read_text().splitlines()) == 1
    assert not (laptop.ssh_folder / "known_hosts").exists(), "the user's own file is never written"


def test_a_last_line_without_its_end_is_not_spoiled(sshd: Sshd) -> None:
    host = sshd.host(trusted=False)
    sshd.trust(port=1)
    own = client_folder("known_hosts")
    own.write_text(own.read_text().rstrip("\n"))
    assert works(connect(host, ConnectAttempt(answers=Answers(accepted_keys={sshd.host_key_fingerprint}))))
    assert len(own.read_text().splitlines()) == 2


def test_the_users_own_known_hosts_is_believed(sshd: Sshd, laptop: Laptop) -> None:
    host = sshd.host(trusted=False)
    laptop.add_known_host(sshd.known_hosts_line())
    subprocess.run(
        ["ssh-keygen", "-q", "-H", "-f", laptop.ssh_folder / "known_hosts"], check=True, capture_output=True
    )
    before = (laptop.ssh_folder / "known_hosts").read_bytes()
    assert works(connect(host, ConnectAttempt()))
    assert (laptop.ssh_folder / "known_hosts").read_bytes() == before


@pytest.mark.chaos
@pytest.mark.claim("an unknown, changed or revoked host key is refused, with its fingerprints")
def test_a_changed_key_is_a_hard_stop_that_names_both(sshd: Sshd) -> None:
    host, before = sshd.host(), sshd.host_key_fingerprint
    assert works(connect(host, ConnectAttempt()))
    sshd.change_host_key()
    accepted = Answers(accepted_keys={sshd.host_key_fingerprint})
    error = refused(host, accepted)
    assert not isinstance(error, QuestionError), "no answer helps"
    assert error.code == "key_changed"
    assert before in error.message
    assert sshd.host_key_fingerprint in error.message
    assert f"{client_folder('known_hosts')} line 1" in error.message
    assert f"ssh-keygen -f {client_folder('known_hosts')} -R '[127.0.0.1]:{sshd.port}'" in error.remedy


@pytest.mark.chaos
@pytest.mark.claim("an unknown, changed or revoked host key is refused, with its fingerprints")
@pytest.mark.parametrize("own", [True, False])
def test_a_revoked_key_is_refused_even_if_it_is_known_or_accepted(
    sshd: Sshd, laptop: Laptop, own: bool
) -> None:
    host = sshd.host(trusted=own)
    laptop.add_known_host(f"@revoked * {sshd.host_key_line}")
    error = refused(host, Answers(accepted_keys={sshd.host_key_fingerprint}))
    assert error.code == "key_changed"
    assert "revoked" in error.message
    assert sshd.host_key_fingerprint in error.message
    assert f"{laptop.ssh_folder}/known_hosts line 1" in error.message


def test_a_host_with_several_keys_is_asked_for_the_known_one(sshd: Sshd, tmp_path: Path) -> None:
    """Paramiko prefers ed25519: without our preference the RSA key that is known would look changed."""
    make_key(tmp_path / "rsa_host_key", "rsa")
    sshd.options["HostKey"] = f"{tmp_path}/rsa_host_key\nHostKey {sshd.host_key}"
    sshd.restart()
    rsa = " ".join((tmp_path / "rsa_host_key.pub").read_text().split()[:2])
    host = sshd.host(trusted=False)
    own = client_folder("known_hosts")
    own.parent.mkdir(parents=True)
    own.write_text(f"[127.0.0.1]:{sshd.port} {rsa}\n")
    own.parent.parent.chmod(0o700)
    assert works(connect(host, ConnectAttempt()))
    own.write_text(f"[127.0.0.1]:{sshd.port} {sshd.host_key_line}\n")
    assert works(connect(host, ConnectAttempt()))


def test_a_host_key_alias_is_what_is_looked_up_and_stored(sshd: Sshd, laptop: Laptop) -> None:
    laptop.add_config("Host *\n  HostKeyAlias lab-box")
    host = sshd.host(trusted=False)
    assert works(connect(host, ConnectAttempt(answers=Answers(accepted_keys={sshd.host_key_fingerprint}))))
    assert client_folder("known_hosts").read_text().startswith("lab-box ssh-ed25519 ")
    assert works(connect(host, ConnectAttempt()))


def test_an_authority_is_told_to_be_unsupported(sshd: Sshd, laptop: Laptop) -> None:
    laptop.add_known_host(f"@cert-authority * {sshd.host_key_line}")
    error = refused(sshd.host(trusted=False))
    assert error.code == "key_unknown"
    assert "@cert-authority" in error.message
    sshd.trust()
    sshd.change_host_key()
    changed = refused(sshd.host(trusted=False))
    assert (changed.code, "@cert-authority" in changed.message) == ("key_changed", True), "ssh may let one in"


def test_the_key_is_checked_before_any_of_our_keys_is_shown(sshd: Sshd) -> None:
    stages: list[str] = []
    with pytest.raises(CallError):
        connect(sshd.host(trusted=False), ConnectAttempt(say=stages.append))
    assert stages == ["dns", "tcp", "ssh"]
    assert "publickey" not in sshd.log.read_text()


def test_two_dials_at_once_store_two_whole_lines(sshd: Sshd, start_sshd: Callable[..., Sshd]) -> None:
    import threading

    second = start_sshd(name="second")
    hosts = [sshd.host(trusted=False), second.host(name="other", trusted=False)]
    answers = Answers(accepted_keys={sshd.host_key_fingerprint, second.host_key_fingerprint})
    threads = [
        threading.Thread(target=lambda host=host: connect(host, ConnectAttempt(answers=answers)).close())
        for host in hosts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20.0)
    lines = client_folder("known_hosts").read_text().splitlines()
    assert sorted(lines) == sorted([sshd.known_hosts_line(), second.known_hosts_line()])


def test_half_a_line_is_never_left_behind(laptop: Laptop) -> None:
    """Half a key reads as another one: the next connect would cry that somebody listens in."""
    shown = bytes.fromhex("0000000b") + b"ssh-ed25519" + bytes.fromhex("00000020") + bytes(32)
    trust = Trust(Target("box", "box.example"))
    own = make_client_folder() / "known_hosts"
    own.write_text("other.example ssh-ed25519 AAAA\n")
    before, write = own.read_bytes(), os.write
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("remote.ssh.trust.os.write", lambda fd, data: write(fd, data[: len(data) - 9]))
        with pytest.raises(OSError, match="No space left"):
            trust.check(shown, Answers(accepted_keys={fingerprint(shown)}))
    assert client_folder("known_hosts").read_bytes() == before


def test_a_key_revoked_for_the_bare_host_is_refused_on_its_other_port(sshd: Sshd, laptop: Laptop) -> None:
    host = sshd.host()
    assert works(connect(host, ConnectAttempt()))
    laptop.add_known_host(f"@revoked 127.0.0.1 {sshd.host_key_line}")
    error = refused(host)
    assert (error.code, "revoked" in error.message) == ("key_changed", True)


def test_revoked_host_keys_of_the_configuration_are_refused(sshd: Sshd, laptop: Laptop) -> None:
    host = sshd.host()
    listed = laptop.ssh_folder / "revoked"
    config = laptop.ssh_folder / "config"
    before = config.read_text() if config.exists() else ""
    config.write_text(f"RevokedHostKeys {listed}\n{before}")
    listed.write_text("# none yet\nssh-ed25519 AAAAC3Nz other\n")
    assert works(connect(host, ConnectAttempt()))
    listed.write_text(f"# one a line\n{sshd.host_key_line}\n")
    error = refused(host, Answers(accepted_keys={sshd.host_key_fingerprint}))
    assert (error.code, "revoked" in error.message, str(listed) in error.message) == (
        "key_changed",
        True,
        True,
    )
    listed.write_bytes(b"SSHKRL\n\0" + bytes(40))
    assert "KRL" in refused(host).message
    listed.unlink()
    assert "cannot be read" in refused(host).message, "as OpenSSH"
