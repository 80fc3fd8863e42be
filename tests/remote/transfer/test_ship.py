"""Code that comes along with a start: what goes, once, whole, and what a run makes of it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from remote.actions import start_run, wait_for
from remote.actions.start import resume_run
from remote.actions.start_request import StartRequest
from remote.hosts.host import LOCAL
from remote.protocol.errors import CallError
from remote.session.session import Session, connect
from remote.supervisor.process.work_copy import lay_out_code
from remote.transfer.sinks import LocalSink
from remote.transfer.sources import LostError
from remote.transfer.trees.data_files import data_of, is_here, send_data
from remote.transfer.trees.secret_files import looks_secret, why_secret
from remote.transfer.trees.send_tree import SendOptions
from remote.transfer.trees.shipment import code_of, ship_code
from tests.remote.calling import call
from tests.remote.conftest import end_everything
from tests.remote.scripts import spec
from trainer.run.disk.file_tree import FileTree, TreeFile, TreeLink
from trainer.run.home import open_home
from trainer.run.run_errors import RecordError, SpecError
from trainer.run.spec import RunSpec

TOKEN = "ghp_" + "a1B2c3D4e5" * 4


def git(folder: Path, *words: str) -> None:
    named = ("-c", "user.name=x", "-c", "user.email=x@y", "-c", "commit.gpgsign=false", "-c", "gc.auto=0")
    subprocess.run(["git", *named, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one commit; who changes it puts it back."""
    folder = tmp_path_factory.mktemp("code")
    (folder / "pkg").mkdir()
    (folder / "train.py").write_text("import pkg.größe\nprint(pkg.größe.N, flush=True)\nopen('out', 'w')\n")
    (folder / "pkg" / "größe.py").write_text("N = 41\n")
    (folder / "run.sh").write_text("#!/bin/sh\nexec python3 train.py\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "empty").touch()
    (folder / "link.py").symlink_to("pkg/größe.py")
    (folder / ".gitignore").write_text("*.log\n")
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one")
    (folder / "noise.log").write_text("not this\n")
    (folder / "new.py").write_text("tracked by nobody\n")
    (folder / "pkg" / "größe.py").write_text("N = 42\n")
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One state root and one agent for all of these."""
    root = tmp_path_factory.mktemp("state") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHOTINUS_HOME", str(root))
        patch.setenv("PHOTINUS_PATIENCE", '{"poll_s": 0.01, "grace_s": 0.4}')
        yield root
        end_everything(root)


@pytest.fixture(scope="module")
def session(home: Path) -> Iterator[Session]:
    with connect() as opened:
        yield opened


@pytest.fixture(autouse=True)
def nothing_there(home: Path) -> Iterator[None]:
    """No code lies on the host when a test begins."""
    yield
    shutil.rmtree(home / "code", ignore_errors=True)


class Counting(LocalSink):
    """Notes what is written, and may lose the link."""

    def __init__(self, lose_at: int = -1) -> None:
        self.bytes, self._lose_at = 0, lose_at
        self.starts: list[int] = []

    def write(self, path: str, start: int, chunks: Iterable[bytes], on_sent: Callable[[int], None]) -> None:
        self.starts.append(start)

        def counted() -> Iterable[bytes]:
            for data in chunks:
                for one in (data[:1000], data[1000:]):
                    if 0 <= self._lose_at <= self.bytes and one:
                        self._lose_at = -1
                        raise LostError("cut")
                    self.bytes += len(one)
                    yield one

        super().write(path, start, counted(), on_sent)


def through(sink: Counting) -> SendOptions:
    return SendOptions(open_sink=lambda _: sink)


def command(*argv: str, **more: Any) -> StartRequest:
    return replace(
        StartRequest(name="shipped", kind="command", argv=argv, inherit=False, device="cpu"), **more
    )


def test_code_goes_once_and_a_run_works_in_its_own_copy(
    session: Session, home: Path, committed: Path
) -> None:
    code = code_of(committed)
    about = code.about
    names = {one.path for one in code.local.tree.files}
    assert names == {".gitignore", "train.py", "pkg/größe.py", "run.sh", "empty", "new.py"}
    assert len(about["commit"]) == 40
    assert "+N = 42" in about["diff"]
    sink = Counting()
    assert ship_code(session, code, through(sink)) == sink.bytes > 0
    tree = home / "code" / about["sha256"]
    assert (tree / "run.sh").stat().st_mode & 0o777 == 0o500
    assert (tree / "empty").stat().st_size == 0
    again = Counting()
    assert ship_code(session, code_of(committed), through(again)) == again.bytes == 0

    asked = command(sys.executable, "train.py", code=about, resume_argv=(sys.executable, "train.py"))
    first = start_run(session, asked).run
    assert first is not None
    over = wait_for(session, first.run_id, lambda view: view.is_terminal, 20.0).run
    assert over is not None
    assert over.state == "succeeded", over
    run = open_home(home).run(first.run_id)
    assert run.log(1).read_text() == "42\n"
    assert (run.code / "out").exists()
    assert not (tree / "out").exists()
    assert str((run.code / "link.py").readlink()) == "pkg/größe.py"

    (run.code / "pkg" / "größe.py").write_text("N = 430\n")
    assert resume_run(session, first.run_id).ok
    over = wait_for(session, first.run_id, lambda view: view.is_terminal and view.attempt == 2, 20.0).run
    assert over is not None
    assert run.log(2).read_text() == "430\n"
    assert f"pkg/größe.py is not as shipped ({about['sha256'][:12]})" in run.supervisor_log.read_text()


def test_a_cut_transfer_goes_on_where_it_was_and_a_changed_tree_sends_what_is_new(
    session: Session, home: Path, committed: Path
) -> None:
    (committed / "big.bin").write_bytes(os.urandom((4 << 20) + 1))
    (committed / "more.bin").write_bytes(os.urandom(300_000))
    try:
        code = code_of(committed)
        sink = Counting(lose_at=400_000)
        assert ship_code(session, code, through(sink)) == sink.bytes
        listed = len(code.local.tree.encoded)
        assert sink.bytes == listed + code.local.tree.size  # not a byte twice
        assert max(sink.starts) > 0
        (committed / "new.py").write_text("now it is longer\n")
        changed, later = code_of(committed), Counting()
        ship_code(session, changed, through(later))
        assert later.bytes == len(changed.local.tree.encoded) + len("now it is longer\n")
        assert (home / "code" / changed.about["sha256"] / "big.bin").stat().st_size == (4 << 20) + 1
        assert sorted(path.name for path in (home / "code").iterdir() if path.name[0] != ".") == sorted(
            [code.about["sha256"], changed.about["sha256"]]
        )
    finally:
        for name in ("big.bin", "more.bin"):
            (committed / name).unlink()
        (committed / "new.py").write_text("tracked by nobody\n")


def test_what_arrives_changed_never_gets_its_name(session: Session, home: Path, committed: Path) -> None:
    class Flipping(LocalSink):
        def write(
            self, path: str, start: int, chunks: Iterable[bytes], on_sent: Callable[[int], None]
        ) -> None:
            flip = "pack" in path
            super().write(path, start, (bytes(len(one)) if flip else one for one in chunks), on_sent)

    with pytest.raises(CallError, match="arrived changed, twice") as caught:
        ship_code(session, code_of(committed), SendOptions(open_sink=lambda _: Flipping()))
    assert caught.value.code == "damaged"
    assert [path.name for path in (home / "code").iterdir() if path.name[0] != "."] == []
    ship_code(session, code_of(committed))


def test_a_file_that_changes_while_it_is_sent_is_named(session: Session, committed: Path) -> None:
    code = code_of(committed)
    (committed / "new.py").write_text("tracked by NOBODY\n")
    try:
        with pytest.raises(CallError, match=r"new\.py was changed while it was sent"):
            ship_code(session, code)
    finally:
        (committed / "new.py").write_text("tracked by nobody\n")


def test_what_must_not_go_is_refused_with_its_name_and_a_remedy(committed: Path, tmp_path: Path) -> None:
    def refused(path: Path = committed, **more: Any) -> CallError:
        with pytest.raises(CallError) as caught:
            code_of(path, **more)
        assert caught.value.code == "refused"
        return caught.value

    extra = committed / "extra.txt"
    for name, text in ((".env", "A=1"), ("server.pem", "x"), ("notes.txt", f"key {TOKEN}")):
        path = committed / name
        path.write_text(text)
        assert name in str(refused())
        assert f"--ship-allow {name}" in refused().remedy
        assert name in {one.path for one in code_of(committed, allowed=[name]).local.tree.files}
        path.unlink()
    extra.write_bytes(bytes(2_000_000))
    assert "extra.txt (2.0 MB)" in str(refused(most=1_000_000))
    assert refused(most=1_000_000).remedy.startswith("--ship-max 3MB")
    extra.unlink()
    extra.symlink_to("/etc/passwd")
    assert "no path of this tree" in str(refused())
    extra.unlink()
    extra.symlink_to("../elsewhere")
    assert "out of this tree" in str(refused())
    extra.unlink()
    assert "is not in git" in str(refused(tmp_path))
    assert "git init" in refused(tmp_path).remedy


def test_a_secret_that_was_untracked_as_the_remedy_says_does_not_go_in_the_diff(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("train.py", "sub/Prod.env"):
        (tmp_path / name).write_text("WORD=hunter2\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "one")
    git(tmp_path, "rm", "-q", "--cached", "sub/Prod.env")
    (tmp_path / ".gitignore").write_text("*.env\n")
    (tmp_path / "train.py").write_text("WORD=other\n")
    diff = code_of(tmp_path).about["diff"]
    assert "+WORD=other" in diff
    assert "Prod.env" not in diff
    (tmp_path / "train.py").write_text("-----BEGIN PGP PRIVATE KEY BLOCK-----")
    about = code_of(tmp_path, allowed=["train.py"]).about
    assert (about["diff"], about["diff_is_cut"]) == ("", True)


def test_secrets_by_name_and_by_form_and_what_only_looks_so() -> None:
    secret = [".env", "a/.env.local", "id_rsa", "keys/id_ed25519", "x.PEM", "credentials.json"]
    secret += ["prod.env", ".envrc", "key.ppk", "release.keystore", ".htpasswd", ".dockercfg", "kaggle.json"]
    assert [path for path in secret if not why_secret(path)] == []
    assert [
        path for path in (".env.example", "id_rsa.pub", "environment.py", "idle.py") if why_secret(path)
    ] == []
    assert looks_secret([b"x" * 99, TOKEN[:20].encode(), TOKEN[20:].encode()])
    assert looks_secret([b"-----BEGIN OPENSSH PRIVATE KEY-----"])
    assert looks_secret([b"-----BEGIN PGP PRIVATE KEY BLOCK-----"])
    assert looks_secret([b"sk_live_" + b"a1B2" * 6])
    assert not looks_secret(
        [b"commit " + b"0123456789abcdef" * 2 + b"01234567", b" sk-estimator-doc-link-and-more"]
    )


def test_a_hostile_list_touches_no_path() -> None:
    one = TreeFile("a", 1, "0" * 64)
    for path in ("../a", "/a", "a/../b", "a//b", ".git/config", "a\nb", "x/.GIT/y", ""):
        with pytest.raises(RecordError):
            FileTree.parse(FileTree((replace(one, path=path),)).encoded)
    for link in (
        TreeLink("d", ".."),
        TreeLink("a/b", "c/../../.."),
        TreeLink("a", "/etc"),
        TreeLink("a", "b"),
    ):
        with pytest.raises(RecordError):
            FileTree.parse(FileTree((one, replace(one, path="c/e")), (link,)).encoded)
    with pytest.raises(RecordError, match="which is no folder"):
        FileTree.parse(FileTree((replace(one, path="d/x"),), (TreeLink("d", "e"),)).encoded)
    good = FileTree((one, replace(one, path="c/e", is_program=True)), (TreeLink("c/l", "../a"),))
    assert FileTree.parse(good.encoded) == good


def test_a_run_without_its_code_is_refused_and_a_damaged_tree_is_told(
    session: Session, home: Path, committed: Path
) -> None:
    code = code_of(committed)
    answer = start_run(session, command("python3", "train.py", code=code.about))
    assert (answer.ok, answer.code) == (False, "refused")
    assert "is not on this host" in answer.message
    ship_code(session, code)
    file = home / "code" / code.about["sha256"] / "train.py"
    file.chmod(0o600)
    file.write_text("other\n")
    run = open_home(home).run("shipped-abcdef").create()
    with pytest.raises(OSError, match="is damaged"):
        lay_out_code(replace(spec(run_id=run.run_id), code=code.about), run)
    assert not run.code.exists()
    assert not file.exists()
    sink = Counting()
    assert ship_code(session, code, through(sink)) > 0  # it is sent again
    file.chmod(0o600)
    file.write_text("other\n")
    (committed / "new.py").write_text("another tree\n")
    try:
        ship_code(session, code_of(committed))  # what is damaged in one tree keeps no other one away
    finally:
        (committed / "new.py").write_text("tracked by nobody\n")


def test_an_old_spec_has_no_code_and_a_wrong_one_is_refused() -> None:
    plain = spec().to_json()
    assert "code" not in plain
    assert RunSpec.from_json(plain).code == {}
    for wrong in ({"code": {"sha256": "x"}}, {"code": {"sha256": "0" * 64}, "cwd": "/x"}):
        with pytest.raises(SpecError):
            RunSpec.from_json(plain | wrong)


def test_tags_are_there_from_the_first_moment_on(session: Session) -> None:
    done = start_run(session, command("true", tags=("night", "größe")))
    assert done.run is not None
    assert list(done.run.tags) == ["night", "größe"]
    assert call(session, "runs", {"only": {"tags": ["night"]}})["runs"]


def test_texts_come_into_the_hosts_corpora_once(session: Session, home: Path, tmp_path: Path) -> None:
    books = tmp_path / "My books!"
    (books / "more").mkdir(parents=True)
    (books / "a.txt").write_text("a" * 9000)
    (books / "more" / "b.txt").write_text("b" * 9000)
    (books / ".hidden").write_text("stays here")
    (books / "c.txt").symlink_to(books / "a.txt")
    there, sent = send_data(session, data_of(books))
    assert Path(there).parent == home / "corpora"
    assert Path(there).name.startswith("My-books-")
    assert {path.relative_to(there).as_posix() for path in Path(there).rglob("*.txt")} == {
        "a.txt",
        "c.txt",
        "more/b.txt",
    }
    assert sent < 20_000  # the text that lies there under two names goes once
    assert not (Path(there) / ".hidden").exists()
    assert send_data(session, data_of(books)) == (there, 0)
    (tmp_path / "elsewhere.txt").write_text("not of these")
    for points in (tmp_path / "elsewhere.txt", books / ".hidden", tmp_path / "no such file"):
        (books / "more" / "d.txt").symlink_to(points)
        with pytest.raises(CallError, match=r"more/d\.txt is a link to .* not among the texts") as refused:
            data_of(books)
        assert "remove the link" in refused.value.remedy
        (books / "more" / "d.txt").unlink()
    (tmp_path / "named.txt").symlink_to(books / "a.txt")
    assert data_of(tmp_path / "named.txt").file == "named.txt"  # who names a link means what it points to
    one, _ = send_data(session, data_of(books / "a.txt"))
    assert (Path(one).name, Path(one).stat().st_size) == ("a.txt", 9000)
    with pytest.raises(CallError, match=r"may go; most is a\.txt") as caught:
        data_of(books, most=1000)
    assert caught.value.remedy.startswith("--data-max 1MB")
    assert [is_here(text) for text in ("local:~/x", "LOCAL:x", "locale", "corpus:x")] == [
        True,
        True,
        False,
        False,
    ]


def test_an_older_host_says_what_it_lacks_in_one_sentence(committed: Path) -> None:
    class Older:
        host = LOCAL

        def call(self, verb: Any, args: Any, timeout: float) -> Any:
            raise CallError("unknown_verb", verb.name)

    with pytest.raises(CallError, match="the Photinus of local is older") as caught:
        ship_code(cast(Session, Older()), code_of(committed))
    assert (caught.value.code, caught.value.remedy) == ("incompatible", "photinus hosts deploy local")


def test_submodules_go_with_their_files_and_another_repository_stays(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "sub", tmp_path / "stray"):
        folder.mkdir(exist_ok=True)
        git(folder, "init", "-q")
        (folder / "a.py").write_text(folder.name)
    git(tmp_path / "sub", "add", "a.py")
    git(tmp_path / "sub", "commit", "-qm", "one")
    said = subprocess.run(["git", "rev-parse", "HEAD"], cwd=tmp_path / "sub", check=True, capture_output=True)
    git(tmp_path, "update-index", "--add", "--cacheinfo", f"160000,{said.stdout.decode().strip()},sub")
    (tmp_path / "sub" / "b.py").write_text("new there")
    code = code_of(tmp_path)
    assert {one.path for one in code.local.tree.files} == {"a.py", "sub/a.py", "sub/b.py"}
    assert code.passed_over == ("stray/",)
    shutil.rmtree(tmp_path / "sub")
    (tmp_path / "sub").mkdir()
    with pytest.raises(CallError, match="submodule sub is not checked out"):
        code_of(tmp_path)
