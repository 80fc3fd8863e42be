"""Lists of known hosts whose paths have spaces: a changed or revoked key stays a hard stop, as with `ssh`."""

from pathlib import Path

import pytest

from remote.protocol.errors import QuestionError
from remote.ssh.client import connect
from remote.ssh.config.effective import target_of
from remote.ssh.config.path_list import read_path_list
from remote.transport.base import ConnectAttempt
from tests.remote.ssh.doors import refused, works
from tests.sshd.client import Laptop, make_key
from tests.sshd.server import Sshd

LISTS = {
    "quoted": '"~/known hosts/kh one"',
    "quoted two": '"~/none such/kh" "~/known hosts/kh one"',
    "mixed": '~/.ssh/known_hosts "~/known hosts/kh one" /none/such',
    "escaped": r"~/known\ hosts/kh\ one /none/such",
    "variable": '"${HOME}/known hosts/kh one" "%d/none such"',
}


@pytest.mark.parametrize("option", ["UserKnownHostsFile", "GlobalKnownHostsFile"])
@pytest.mark.parametrize("listed", LISTS.values(), ids=LISTS)
def test_a_path_with_spaces_is_one_path(laptop: Laptop, option: str, listed: str) -> None:
    file = laptop.home / "known hosts" / "kh one"
    file.parent.mkdir()
    file.touch()
    laptop.add_config(f"Host box\n  {option} {listed}")
    target = target_of("box")
    found = target.user_known_hosts if option.startswith("User") else target.global_known_hosts
    assert str(file) in found
    assert not [path for path in found if path.endswith((" hosts", "/known"))], (
        "no part of it is taken for one"
    )


def test_its_key_is_known_its_other_key_and_its_revoked_one_are_hard_stops(
    sshd: Sshd, laptop: Laptop, tmp_path: Path
) -> None:
    file = laptop.home / "known hosts" / "kh"
    file.parent.mkdir()
    laptop.add_config(f'Host *\n  UserKnownHostsFile ~/.ssh/none "{file}"')
    host = sshd.host(trusted=False)
    assert refused(host).code == "key_unknown", "an empty list knows nobody"
    laptop.add_known_host(sshd.known_hosts_line(), file)
    assert works(connect(host, ConnectAttempt()))
    file.write_text("")
    laptop.add_known_host(f"@revoked {sshd.known_hosts_line()}", file)
    assert refused(host).code == "key_changed"
    make_key(tmp_path / "other")
    file.write_text(f"[127.0.0.1]:{sshd.port} {(tmp_path / 'other.pub').read_text()}")
    changed = refused(host)
    assert (changed.code, isinstance(changed, QuestionError)) == ("key_changed", False)
    assert f"{file} line 1" in changed.message
    sshd.run_laptop("sh", "-c", changed.remedy.rpartition("only then: ")[2])
    assert refused(host).code == "key_unknown", "the remedy can be pasted, spaces and all"


def test_a_home_with_a_space_keeps_its_usual_files(tmp_path: Path) -> None:
    home = tmp_path / "Jo Smith"
    lists = read_path_list(f"{home}/.ssh/known_hosts {home}/.ssh/known_hosts2", str)
    assert lists.paths == (f"{home}/.ssh/known_hosts", f"{home}/.ssh/known_hosts2")
    assert read_path_list(f"{home.parent}/plain /etc/b", str).unclear == ()


def test_relative_paths_are_told_by_what_exists_and_the_rest_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a b", "c"):
        (tmp_path / name).touch()
    lists = read_path_list("a b c", lambda text: str(Path(text).absolute()))
    assert lists.paths == (f"{tmp_path}/a b", f"{tmp_path}/c")
    lists = read_path_list("a b no such", lambda text: str(Path(text).absolute()))
    assert lists.paths == (f"{tmp_path}/a b", f"{tmp_path}/no such")
    assert lists.unclear == (f"{tmp_path}/no such",)


def test_who_is_asked_about_a_key_hears_of_lists_that_could_not_be_read(sshd: Sshd, laptop: Laptop) -> None:
    host = sshd.host(trusted=False)
    plain = refused(host).message
    assert "cannot be read" not in plain
    assert "spaces" not in plain
    (laptop.home / "kh").mkdir()
    laptop.add_config('Host *\n  UserKnownHostsFile ~/kh "~/no such file"')
    said = refused(host).message
    assert f"{laptop.home}/kh cannot be read" in said
    assert f"{laptop.home}/no such file" in said
