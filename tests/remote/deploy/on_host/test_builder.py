"""Builds in real processes: they rename, exclude one another, leave nothing, say what went wrong."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from remote.deploy.on_host.build_environment import EnvironmentBuild
from remote.deploy.on_host.build_progress import ProgramFailed, Reporter
from remote.deploy.on_host.builder import stop_name
from remote.deploy.on_host.installed import Installed, read_installed
from remote.deploy.on_host.installer_verdict import SIGNS, explain
from remote.deploy.wheel import pack, sources
from tests.remote.deploy.stage import Stage, fake, messages, read_line, whole_wheel
from tests.trials import trials
from tests.waiting import wait_until
from trainer.run.device_report import report_path


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path / "root")


def says(python: Path, program: str) -> str:
    done = subprocess.run(
        [python, "-I", "-c", program], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_an_environment_that_was_renamed_works(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "root", whole_wheel())
    last, said = stage.build(stage.order())
    assert last == {"done": {"env": "e" * 16, "built": True}}, said
    python = stage.env() / "bin" / "python"
    where = says(python, "import remote, sys; print(remote.__file__, sys.prefix)").split()
    assert where == [str(next(stage.env().glob("lib/*/site-packages/remote/__init__.py"))), str(stage.env())]
    script = stage.env() / "bin" / "photinus-train"
    listed = subprocess.run([script, "presets"], capture_output=True, text=True, check=True)
    assert "kssm-v3" in listed.stdout
    assert b".building-" not in b"".join(
        path.read_bytes() for path in (stage.env() / "bin").iterdir() if not path.is_symlink()
    )
    note = read_installed(stage.env())
    assert note is not None
    assert (note.home, note.env, note.wheel) == (str(stage.root), "e" * 16, stage.wheel.sha256)
    assert stage.leftovers() == []
    assert stage.env().stat().st_mode & 0o777 == 0o700


def test_a_second_build_finds_it_there(stage: Stage) -> None:
    stage.build(stage.order())
    inode = stage.env().stat().st_ino
    last, said = stage.build(stage.order())
    assert last == {"done": {"env": "e" * 16, "built": False}}
    assert "there already" in said[-1]
    assert stage.env().stat().st_ino == inode


def test_two_at_once_build_once(stage: Stage) -> None:
    children = [stage.start(stage.order(token=f"t{n}")) for n in range(3)]
    built = [messages(child)[0]["done"]["built"] for child in children]
    assert sorted(built) == [False, False, True]
    assert stage.leftovers() == []


def test_a_new_wheel_takes_the_packages_over_and_leaves_the_old_as_it_is(stage: Stage) -> None:
    stage.build(stage.order(stage.kit("a" * 16)))
    marker = next((stage.env("a" * 16) / "lib").glob("python3.*")) / "site-packages" / "a_package.py"
    marker.write_text("x = 1\n")
    kept = report_path("cuda-0", stage.env("a" * 16))
    kept.parent.mkdir()
    kept.write_text("of the code that was")
    before = snapshot(stage.env("a" * 16))
    stage.wheel = pack(sources() | {"remote/added.py": b"y = 2\n"}, "1.0")
    stage.put(stage.wheel)
    last, said = stage.build(stage.order(stage.kit("b" * 16)))
    assert last["done"]["built"], said
    assert any("nothing to download" in line for line in said)
    new = stage.env("b" * 16)
    assert (
        says(new / "bin" / "python", "import a_package, remote.added; print(a_package.x + remote.added.y)")
        == "3"
    )
    assert snapshot(stage.env("a" * 16)) == before
    twin = next(new.glob("lib/*/site-packages/a_package.py"))
    assert twin.stat().st_ino == marker.stat().st_ino, "linked, not copied"
    assert not report_path("cuda-0", new).exists(), "other code has not been tried yet"
    assert str(stage.env("a" * 16)) not in (new / "pyvenv.cfg").read_text()
    assert len(list(new.glob("lib/*/site-packages/photinus-*.dist-info"))) == 1


def snapshot(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {str(path): path.read_bytes() for path in files}


def test_other_packages_are_not_taken_over(stage: Stage) -> None:
    stage.build(stage.order(stage.kit("a" * 16)))
    _, said = stage.build(stage.order(stage.kit("b" * 16, packages="q" * 16)))
    assert not any("nothing to download" in line for line in said)


def test_a_wheel_that_is_not_what_was_sent_is_never_unpacked(stage: Stage) -> None:
    order = stage.order()
    good = stage.root / "good.whl"
    Path(order["path"]).rename(good)
    Path(order["path"]).write_bytes(b"PK evil")
    last, _ = stage.build(order | {"path": str(good)})
    assert "not what was uploaded" in last["error"]["message"]
    assert not stage.env().exists()
    assert stage.leftovers() == []


def test_a_build_that_was_killed_is_tidied_up_by_the_next(stage: Stage) -> None:
    (stage.root / "envs" / ".building-old-1234").mkdir()
    (stage.root / "envs" / ".building-old-1234" / "x").write_text("half")
    stage.build(stage.order())
    assert stage.leftovers() == []


def slow_venv(tmp_path: Path) -> str:
    """An interpreter whose venv takes its time and tells its pid."""
    return fake(tmp_path / "slow", f"#!/bin/sh\necho pid $$ >&2; echo $$ > {tmp_path}/pid; exec sleep 30\n")


def test_the_note_ends_a_build_and_what_it_started(stage: Stage, tmp_path: Path) -> None:
    child = stage.start(stage.order(stage.kit(python=slow_venv(tmp_path)), token="mine"))
    read_line(child, "pid")
    (stage.root / "envs" / stop_name("another")).touch()
    (stage.root / "envs" / stop_name("mine")).touch()
    last, _ = messages(child)
    assert "cancelled by the operator" in last["error"]["message"]
    pid = int((tmp_path / "pid").read_text())
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), 5.0, "the installer to be gone")
    assert stage.leftovers() == [stop_name("another")]


def test_a_build_outlives_its_link(stage: Stage) -> None:
    child = stage.start(stage.order())
    read_line(child, "environment")
    assert child.stdout is not None
    child.stdout.close()
    child.send_signal(signal.SIGHUP)
    wait_until(lambda: read_installed(stage.env()) is not None, 30.0, "the build to end well")
    assert child.wait(10) == 0


def test_an_orphaned_installer_keeps_the_next_build_waiting(stage: Stage, tmp_path: Path) -> None:
    child = stage.start(stage.order(stage.kit(python=slow_venv(tmp_path))))
    read_line(child, "pid")
    child.kill()
    child.wait()
    last, said = stage.build(stage.order(lock_s=0.3))
    assert last["error"]["code"] == "timeout"
    assert "another deploy has been at work" in last["error"]["message"]
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    last, _ = stage.build(stage.order())
    assert last["done"]["built"], said


def test_uv_is_used_and_pip_is_the_way_out_where_it_fails(stage: Stage, tmp_path: Path) -> None:
    uv = fake(tmp_path / "uv", "#!/bin/sh\necho error: no index >&2; exit 2\n")
    last, said = stage.build(stage.order(stage.kit(installer="uv", uv=uv, needs=())))
    assert any("uv could not do it (error: no index)" in line for line in said)
    assert last["done"]["built"]


def test_an_installer_that_fails_shows_its_last_lines(stage: Stage, tmp_path: Path) -> None:
    refuses = fake(
        tmp_path / "python", "#!/bin/sh\necho The virtual environment was not created: ensurepip; exit 1\n"
    )
    last, _ = stage.build(stage.order(stage.kit(python=refuses, installer="venv")))
    assert "ensurepip" in last["error"]["message"]
    assert "-venv" in last["error"]["remedy"]
    assert stage.leftovers() == []


def test_a_full_disk_is_told_before_anything_is_made(stage: Stage) -> None:
    last, _ = stage.build(stage.order(stage.kit(disk=1e18)))
    assert last["error"]["code"] == "disk_low"
    assert "1000000000.0 GB are needed" in last["error"]["message"]


@pytest.mark.chaos
@pytest.mark.skipif(trials(0, 1) == 0, reason="a whole build: `make chaos` runs it")
def test_an_environment_that_does_not_work_is_not_kept(stage: Stage) -> None:
    last, _ = stage.build(stage.order(stage.kit(borrowed=("/nowhere",))))
    assert "does not work" in last["error"]["message"]
    assert "No module named" in last["error"]["message"]
    assert not stage.env().exists()
    stage = Stage(stage.root, whole_wheel())  # a device is asked by what trains
    last, _ = stage.build(stage.order(stage.kit(devices=("cuda-77",))))
    assert "no device cuda:77 here" in last["error"]["message"]
    assert "`torch:`" in last["error"]["remedy"]
    assert stage.leftovers() == []


class Trials(Reporter):
    """Notes what is tried; the training of one device comes out otherwise than that of the CPU."""

    def __init__(self) -> None:
        super().__init__()
        self.tried, self.told = list[str](), list[str]()

    def say(self, line: str) -> None:
        self.told.append(line)

    def run(self, argv: Sequence[str], *_: object, **__: object) -> list[str]:
        self.tried.append(" ".join(argv[3:]))
        if argv[3:5] == ["trainer", "selftest"] and argv[-1] == "cuda-1":
            raise ProgramFailed(argv, 1, ["cuda-1 does not train as the CPU does: gpt: loss differs"])
        return []


@pytest.mark.parametrize("wanted", [True, False])
def test_every_accelerator_trains_a_little_and_what_differs_is_told(stage: Stage, wanted: bool) -> None:
    trials = Trials()
    kit = stage.kit(devices=("cpu", "cuda-0", "cuda-1"), selftest=wanted)
    EnvironmentBuild(kit, stage.env(), Path("none.whl"), trials, 0)._try_out()
    trained = [words for words in trials.tried if words.startswith("trainer selftest")]
    expected = [f"trainer selftest --keep --device {name}" for name in ("cuda-0", "cuda-1")]
    assert trained == (expected if wanted else [])
    assert any("cuda-1 does not train" in line for line in trials.told) is wanted


RETRY = (
    "WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after connection"
    " broken by 'ProxyError('Cannot connect to proxy.', NewConnectionError('<pip HTTPSConnection>: Failed to "
    "establish a new connection: [Errno 111] Connection refused'))': /simple/msgspec/"
)
TAIL = [
    "ERROR: Cannot install msgspec==0.22.0 because these package versions have conflicting dependencies.",
    "The conflict is caused by:",
    "    The user requested msgspec==0.22.0",
    "    The user requested (constraint) msgspec==0.22.0",
    "To fix this you could try to:",
    "1. loosen the range of package versions you've specified",
    "2. remove package versions to allow pip attempt to solve the dependency conflict",
    "ERROR: ResolutionImpossible: for help visit the documentation of pip",
]
NONE = "ERROR: Could not find a version that satisfies the requirement msgspec==0.22.0 (from versions: none)"
FOUND = "ERROR: Could not find a version that satisfies the requirement x==9 (from versions: 1.0, 2.0)"


@pytest.mark.parametrize(
    ("printed", "code", "words_"),
    [
        ([RETRY, RETRY, *TAIL], "refused", "reaches no package index"),
        ([RETRY, FOUND, *TAIL], "refused", "no packages for this host"),
        (TAIL, "refused", "no packages for this host"),
        ([NONE, *TAIL], "refused", "or no index answers it (by https_proxy=http://127.0.0.1:9)"),
        (["OSError: [Errno 28] No space left on device", *TAIL], "disk_low", "disk is full"),
        (["Error: Command '[...]' ensurepip returned 1", *TAIL], "refused", "can make no environment"),
        (["  error: dns error: failed to lookup address", *["hint: ..."] * 9], "refused", "no package index"),
    ],
)
def test_a_verdict_is_formed_on_every_line(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, printed: list[str], code: str, words_: str
) -> None:
    """pip says what is wrong and then writes seven lines of advice, or the fifty of a traceback."""
    monkeypatch.setenv("https_proxy", "http://ada:secret@127.0.0.1:9")
    (tmp_path / "said").write_text("\n".join(printed))
    words = ["/bin/sh", "-c", f"cat {tmp_path}/said; exit 1"]
    with pytest.raises(ProgramFailed) as caught:
        Reporter(out=io.StringIO()).run(words, {"PATH": "/usr/bin:/bin"}, signs=SIGNS)
    error = explain(caught.value, stage.kit(needs=("msgspec==0.22.0",)))
    assert error.code == code
    assert words_ in str(error)
    assert "secret" not in str(error)
    if "no package index" in words_:
        assert "https_proxy=http://127.0.0.1:9" in str(error)
        assert "pip download" in error.remedy
        assert "msgspec==0.22.0" in error.remedy
        assert error.remedy.endswith("--wheels photinus-wheels")


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        (
            "Temporary failure in name resolution\nERROR: No matching distribution found",
            "refused",
            "no package index",
        ),
        ("ERROR: No matching distribution found for torch==9", "refused", "no packages for this host"),
        ("OSError: [Errno 28] No space left on device", "disk_low", "disk is full"),
        ("No module named venv", "refused", "can make no environment"),
        ("something else", "refused", "something else"),
    ],
)
def test_what_an_installers_last_lines_mean(stage: Stage, said: str, code: str, words: str) -> None:
    error = explain(ProgramFailed(["pip"], 1, said.split("\n")), stage.kit())
    assert error.code == code
    assert words in str(error)
    assert error.remedy


def test_notes_that_cannot_be_read_are_no_environment(tmp_path: Path) -> None:
    assert read_installed(tmp_path) is None
    (tmp_path / "photinus-home").write_text("relative\n")
    (tmp_path / "photinus.json").write_text('{"env": "e", "home": "/x", "wheel": "w", "version": "1"}')
    assert read_installed(tmp_path) is None
    (tmp_path / "photinus-home").write_text("/home/ada/.photinus\n")
    assert read_installed(tmp_path) == Installed(home="/home/ada/.photinus", env="e", wheel="w", version="1")
    (tmp_path / "photinus.json").write_text("[]")
    assert read_installed(tmp_path) is None
    assert read_installed(Path(sys.prefix)) is None, "a checkout was not deployed"
