"""A FIFO, a folder or a device where a file of ours should be: nobody waits for it, nobody falls over."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from remote.actions.intents import leftovers
from remote.agent.checkup import root
from remote.agent.checkup.doctor import examine
from remote.agent.context import Context
from remote.audit.audit_log import read as read_audit
from remote.deploy.torch_record import known_torch
from remote.hosts.client_state import make_client_folder
from remote.hosts.host import Host
from remote.hosts.placement import Placement, read_placement, write_placement
from remote.protocol.errors import CallError
from remote.session.session import Session
from remote.ssh.config.aliases import read_aliases
from remote.supervisor.evidence import last_lines
from remote.supervisor.progress import made_progress
from tests.remote.calling import call
from tests.remote.scripts import BRIEF, spec
from tests.remote.transfer.saved import make_run, save
from trainer.run.checkpoints.manifest import MANIFEST
from trainer.run.disk.atomic import open_append
from trainer.run.home import open_home
from trainer.telemetry.bands import BandsError
from tui.commands.environment import read_environment
from tui.health import health_bands
from tui.own_formats import formats_at_hand

ODD: dict[str, Callable[[Path], object]] = {
    "fifo": os.mkfifo,
    "folder": Path.mkdir,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "deep": lambda path: path.write_text("[" * 100_000),
    "kinds": lambda path: path.write_text('{"python": 7, "home": [], "at": "x", "args": 1}'),
}
NO_FILES = ("fifo", "folder", "device")


@pytest.fixture(params=ODD)
def odd(request: pytest.FixtureRequest) -> Callable[[Path], object]:
    """Puts something odd there."""
    return ODD[request.param]


@contextlib.contextmanager
def in_place_of(path: Path, odd: Callable[[Path], object]) -> Iterator[None]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    odd(path)
    yield
    path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def test_an_odd_audit_log_holds_up_neither_a_start_nor_the_end_of_a_run(home: Path, session: Session) -> None:
    """The agent writes to it at each act, the supervisor at a failure, with every lock in its hands."""
    call(session, "ping", {"n": 1})
    path = home / "audit.jsonl"
    for name in NO_FILES:
        with in_place_of(path, ODD[name]):
            wanted = spec("raise SystemExit(3)", shared_device=True)
            call(session, "start", {"start_id": f"s-{name}", "spec": wanted.to_json()}, 20.0)
            over = session.wait_run(wanted.run_id, lambda run: run.is_terminal, 20.0)
            assert over is not None, name
            assert over.state == "failed"
            assert call(session, "audit", {}) == {"entries": [], "malformed": 1}
            found = examine(Context.of(open_home(home)), checks=(root.check,))
            assert any(str(path) in one.what and one.remedy for one in found), name
    call(session, "start", {"start_id": "s-end", "spec": spec(BRIEF).to_json()}, 20.0)
    assert call(session, "audit", {})["malformed"] == 0, "the control"


@pytest.mark.parametrize(
    ("file", "name", "why"),
    [
        ("agent.lock", "folder", "Is a directory"),
        ("devices/cpu.lock", "folder", "Is a directory"),
        ("devices/cpu.lock", "device", "it is a symbolic link"),
    ],
)
def test_what_stands_in_the_place_of_a_lock_is_named_by_who_meets_it(
    home: Path, session: Session, file: str, name: str, why: str
) -> None:
    call(session, "ping", {"n": 1})
    with in_place_of(home / file, ODD[name]):
        assert file.removesuffix(".lock") in str(call(session, "processes", {}, 20.0)["locks"])
        with pytest.raises(CallError, match=f"{file}: {why}") as caught:
            call(session, "start", {"start_id": "s1", "spec": spec(BRIEF).to_json()}, 20.0)
        assert "photinus doctor" in caught.value.remedy
        found = examine(Context.of(open_home(home)), checks=(root.check,))
        assert any(str(home / file) in one.what and one.remedy for one in found)
    assert not examine(Context.of(open_home(home)), checks=(root.check,)), "the control"


def test_an_odd_older_audit_log_hides_no_newer_line(tmp_path: Path, odd: Callable[[Path], object]) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_text('{"at": 1.0, "who": "me", "verb": "stop"}\n')
    odd(tmp_path / "audit.1.jsonl")
    entries, malformed = read_audit(path)
    assert ([one.verb for one in entries], malformed) == (["stop"], 1)


@pytest.mark.parametrize("name", NO_FILES)
def test_what_is_appended_to_is_a_plain_file(tmp_path: Path, name: str) -> None:
    ODD[name](tmp_path / "log")
    with pytest.raises(OSError, match=r"\[Errno"):
        open_append(tmp_path / "log")
    if name == "fifo":  # somebody reads there: it could be opened, and would take what is meant for the disk
        reader = os.open(tmp_path / "log", os.O_RDONLY | os.O_NONBLOCK)
        with pytest.raises(OSError, match="not a plain file"):
            open_append(tmp_path / "log")
        os.close(reader)


def test_an_odd_log_or_events_says_nothing(home: Path, odd: Callable[[Path], object]) -> None:
    run = make_run(home)
    run.log(1).write_text("the end\n")
    run.events.write_text('{"type": "metrics", "attempt": 1}\n')
    assert last_lines(run, 3) == ["the end"]
    assert made_progress(run, 1)
    for path in (run.log(1), run.events):
        path.unlink()
        odd(path)
    assert "the end" not in last_lines(run, 3)
    assert not made_progress(run, 1)


@pytest.mark.parametrize("name", [*NO_FILES, "deep"])
def test_a_start_from_a_checkpoint_with_an_odd_manifest_is_refused(
    home: Path, session: Session, name: str
) -> None:
    path = save(make_run(home), 100, {"model.safetensors": b"weights"})
    wanted = spec(BRIEF, parent="demo-abcdef/step-00000100").to_json()
    with in_place_of(path / MANIFEST, ODD[name]), pytest.raises(CallError, match="no checkpoint demo-abcdef"):
        call(session, "start", {"start_id": "s1", "spec": wanted}, 20.0)


@pytest.mark.parametrize("words", [{"cwd": "/" + "a" * 300}, {"argv": ["./" + "a" * 300]}])
def test_a_name_that_no_file_can_have_is_told_as_that(session: Session, words: dict[str, object]) -> None:
    with pytest.raises(CallError, match="no file can be called so") as caught:
        call(session, "start", {"start_id": "s1", "spec": spec(BRIEF).to_json() | words}, 20.0)
    assert caught.value.code == "bad_request"


def test_an_odd_note_of_this_client_counts_as_none(home: Path, odd: Callable[[Path], object]) -> None:
    box = Host("box")
    kept = Placement(python="/opt/x/bin/python", at=7.0)
    write_placement(box, kept)
    assert read_placement(box) == kept, "the control"
    with in_place_of(home / "client" / "hosts" / "box.json", odd):
        assert read_placement(box) is None
    with in_place_of(home / "client" / "torch_hashes.json", odd):
        assert known_torch("2.13.0", (3, 11), "linux") == {}
    with in_place_of(make_client_folder("intents") / "abc.json", odd):
        assert leftovers("box") == []
        (make_client_folder("intents") / "abc.json").touch()
    assert leftovers("box") == []


@pytest.mark.parametrize("name", NO_FILES)
def test_an_odd_file_of_ones_own_is_named(home: Path, name: str, tmp_path: Path) -> None:
    assert "ce" in health_bands()
    mine = make_client_folder("health") / "mine.yaml"
    with in_place_of(mine, ODD[name]), pytest.raises(BandsError, match=r"mine\.yaml is no plain file"):
        health_bands()
    with in_place_of(make_client_folder("formats") / "mine.yaml", ODD[name]):
        formats, faults = formats_at_hand()
        assert formats
        assert "no plain file" in str(faults[0])
    config = tmp_path / "config"
    config.write_text("Host one\nInclude odd\nHost two\n")
    with in_place_of(tmp_path / "odd", ODD[name]):
        assert [alias.name for alias in read_aliases(config)] == ["one", "two"]


def test_an_endless_env_file_is_refused_and_a_pipe_is_read(tmp_path: Path) -> None:
    with pytest.raises(CallError, match="is longer than"):
        read_environment([], "/dev/zero")
    reader, writer = os.pipe()
    os.write(writer, b"TOKEN=x\n")
    os.close(writer)
    assert read_environment([], f"/dev/fd/{reader}") == {"TOKEN": "x"}  # `<(pass show token)`
    os.close(reader)
