import subprocess
from pathlib import Path

import pytest

from remote.ssh.auth.identities import certificate_fits, in_order
from remote.ssh.auth.key_file import KeyFile, read_key_file, read_public_key
from tests.sshd.client import make_key
from tests.sshd.needs import need_sshd

OPEN = KeyFile(Path("/k/open"), b"open", "ssh-ed25519")
LOCKED = KeyFile(Path("/k/locked"), b"locked", "ssh-ed25519", is_encrypted=True)


def labels(
    *,
    agent: list[bytes],
    passphrases: tuple[str, ...] = (),
    only: bool = False,
    public: tuple[bytes, ...] = (),
) -> list[str]:
    offers = in_order([LOCKED, OPEN], public, agent, passphrases, identities_only=only)
    return [f"{offer.public.decode()}{'?' if offer.needs_passphrase else ''}" for offer in offers]


def test_the_agent_comes_first_and_a_locked_key_last() -> None:
    assert labels(agent=[b"a", b"b"]) == ["a", "b", "open", "locked?"]


def test_a_locked_key_that_the_agent_holds_needs_no_passphrase() -> None:
    assert labels(agent=[b"a", b"locked"]) == ["locked", "a", "open"]


def test_a_known_passphrase_makes_it_an_ordinary_key() -> None:
    assert labels(agent=[], passphrases=("/k/locked",)) == ["open", "locked"]


def test_identities_only_leaves_out_what_is_not_named() -> None:
    assert labels(agent=[b"a", b"locked"], only=True) == ["locked", "open"]
    assert labels(agent=[b"a", b"named"], only=True, public=(b"named",)) == ["named", "open", "locked?"]


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_a_key_file_tells_its_key_and_whether_it_is_locked(tmp_path: Path, kind: str) -> None:
    need_sshd()
    for passphrase in ("", "secret"):
        path = tmp_path / f"{kind}{passphrase}"
        make_key(path, kind, passphrase)
        public = read_public_key(path.with_name(path.name + ".pub"))
        path.with_name(path.name + ".pub").unlink()
        file = read_key_file(path)
        assert file is not None
        assert (file.public, file.is_encrypted) == (public, bool(passphrase))


def test_an_old_pem_key_tells_by_its_header(tmp_path: Path) -> None:
    need_sshd()
    words = ["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-f", str(tmp_path / "k")]
    subprocess.run([*words, "-N", "secret"], check=True)
    file = read_key_file(tmp_path / "k")
    assert file is not None
    assert (file.key_type, file.is_encrypted) == ("ssh-rsa", True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nothing",
        b"-----BEGIN OPENSSH PRIVATE KEY-----\n????",
        b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n",
        b"\xff\x00",
    ],
)
def test_what_is_no_key_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "k").write_bytes(content)
    assert read_key_file(tmp_path / "k") is None
    assert read_key_file(tmp_path / "missing") is None


def test_a_certificate_fits_its_own_key_only(tmp_path: Path) -> None:
    need_sshd()
    for name in ("ca", "mine", "other"):
        make_key(tmp_path / name)
    subprocess.run(
        ["ssh-keygen", "-q", "-s", tmp_path / "ca", "-I", "me", "-n", "me", tmp_path / "mine.pub"], check=True
    )
    certificate = read_public_key(tmp_path / "mine-cert.pub")
    assert certificate_fits(certificate, read_public_key(tmp_path / "mine.pub"))
    assert not certificate_fits(certificate, read_public_key(tmp_path / "other.pub"))
    assert not certificate_fits(b"", read_public_key(tmp_path / "mine.pub"))
