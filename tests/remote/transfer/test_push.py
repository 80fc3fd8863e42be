"""`push` to `local` and over SSH: proven here, resumed, proven there; and a run that begins from it."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from remote.protocol.errors import CallError
from remote.session.session import Session, connect
from remote.transfer.push import PushOptions, origin_of, push
from remote.transfer.sinks import LocalSink
from remote.transfer.sources import LostError
from tests.remote.calling import call
from tests.remote.scripts import BRIEF, QUIET, spec
from tests.remote.transfer.saved import RUN_ID, make_run, same, save, write_checkpoint
from tests.sshd.delay import DelayProxy
from tests.sshd.server import Sshd
from tests.waiting import wait_until
from trainer.run.checkpoints.imported import locate_parent, seed_path
from trainer.run.checkpoints.manifest import MANIFEST, verify
from trainer.run.home import open_home
from trainer.run.records import read_spec
from trainer.run.run_errors import SpecError


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A checkpoint as a pull leaves it."""
    files = {"model.safetensors": os.urandom(3_000_000), "optimizer.safetensors": os.urandom(10)}
    return write_checkpoint(tmp_path / "mine" / RUN_ID / "step-00000100", 100, files)


class Fickle(LocalSink):
    """Passes `act(path, data)` of each piece on."""

    def __init__(self, act: Callable[[str, bytes], bytes]) -> None:
        self._act = act

    def write(self, path: str, start: int, chunks: Iterable[bytes], on_sent: Callable[[int], None]) -> None:
        super().write(path, start, (self._act(path, data) for data in chunks), on_sent)


def through(act: Callable[[str, bytes], bytes]) -> PushOptions:
    return PushOptions(open_sink=lambda _: Fickle(act))


def test_a_checkpoint_comes_to_the_host_once(session: Session, home: Path, mine: Path) -> None:
    pushed = push(session, mine)
    there = home / "seeds" / RUN_ID / "checkpoints" / "step-00000100"
    assert (pushed.parent, pushed.path, pushed.was_there) == (f"{RUN_ID}/step-00000100", str(there), False)
    assert same(there, mine)
    verify(there)
    assert pushed.sent == pushed.bytes
    again = push(session, mine)
    assert (again.was_there, again.sent) == (True, 0)
    assert [path.name for path in (home / "seeds").iterdir()] == [RUN_ID]


def test_what_is_not_whole_here_is_not_sent(session: Session, home: Path, mine: Path) -> None:
    with (mine / "model.safetensors").open("r+b") as file:
        file.write(b"changed")
    with pytest.raises(CallError, match="SHA-256 does not match"):
        push(session, mine)
    assert not (home / "seeds").exists()


def test_a_folder_of_checkpoints_and_no_folder_are_refused_with_what_to_name(
    session: Session, mine: Path
) -> None:
    with pytest.raises(CallError) as caught:
        push(session, mine.parent)
    assert (caught.value.code, caught.value.remedy) == ("refused", "name one of those in it: step-00000100")
    with pytest.raises(CallError) as caught:
        push(session, mine / "nowhere")
    assert (caught.value.code, caught.value.exit_code) == ("not_found", 6)


def test_a_lost_link_goes_on_behind_what_went(session: Session, mine: Path, home: Path) -> None:
    pieces = [0]

    def lose(path: str, data: bytes) -> bytes:
        pieces[0] += 1
        if pieces[0] in (2, 4):
            raise LostError("cut")
        return data

    pushed = push(session, mine, through(lose))
    assert same(Path(pushed.path), mine)
    assert pushed.sent == pushed.bytes  # not a byte twice


def test_a_byte_that_changes_on_the_way_is_found_on_the_host_and_sent_again(
    session: Session, mine: Path
) -> None:
    flips = [1]

    def flip(path: str, data: bytes) -> bytes:
        if path.endswith("model.safetensors") and flips:
            flips.pop()
            return bytes([data[0] ^ 1]) + data[1:]
        return data

    pushed = push(session, mine, through(flip))
    assert same(Path(pushed.path), mine)
    assert pushed.sent > pushed.bytes


def test_what_is_damaged_every_time_never_gets_its_name(session: Session, mine: Path, home: Path) -> None:
    with pytest.raises(CallError, match=r"arrived changed, twice: model\.safetensors") as error:
        push(session, mine, through(lambda path, data: bytes(len(data)) if "model" in path else data))
    assert error.value.code == "damaged"
    assert not seed_path(home, RUN_ID, "step-00000100").exists()


def test_another_checkpoint_of_that_name_is_never_replaced(
    session: Session, mine: Path, tmp_path: Path
) -> None:
    push(session, mine)
    other = write_checkpoint(tmp_path / "other" / RUN_ID / "step-00000100", 100, {"model.safetensors": b"x"})
    with pytest.raises(CallError, match="another checkpoint lies at"):
        push(session, other)
    assert push(session, other, PushOptions(origin="other")).parent == "other/step-00000100"


def test_into_a_run_that_is_over_and_into_no_other(session: Session, home: Path, mine: Path) -> None:
    run = make_run(home)
    pushed = push(session, mine, PushOptions(run_id=RUN_ID))
    assert Path(pushed.path) == run.checkpoints / "step-00000100"
    assert same(run.checkpoints / "step-00000100", mine)
    live = spec(QUIET)
    call(session, "start", {"start_id": "s1", "spec": live.to_json()}, 20.0)
    with pytest.raises(CallError, match="is running") as error:
        push(session, mine, PushOptions(run_id=live.run_id))
    assert error.value.code == "already_running"
    with pytest.raises(CallError, match="no run"):
        push(session, mine, PushOptions(run_id="none-abcdef"))


def test_a_push_over_ssh_goes_on_after_a_cut(
    sshd: Sshd, slow_link: Callable[..., DelayProxy], tmp_path: Path, mine: Path
) -> None:
    road, far = slow_link(), tmp_path / "far"
    box = sshd.host(port=road.port)
    sshd.place(box, far)
    with connect(box) as session:
        cuts: list[int] = []

        def cut(progress: object) -> None:
            if not cuts:
                cuts.append(1)
                road.cut()

        pushed = push(session, mine, on_progress=cut)
        assert cuts
        assert Path(pushed.path).is_relative_to(far)
        assert same(Path(pushed.path), mine)
        wait_until(lambda: road.accepted > 1, 5.0, "another connection")


def test_names_of_parents_are_checked_before_they_touch_a_path(tmp_path: Path) -> None:
    for parent in (
        "../x/step-00000001",
        "a/../step-00000001",
        "a/step-1",
        "/a/step-00000001",
        "a",
        "",
        "a/b/c",
    ):
        with pytest.raises(SpecError):
            locate_parent(tmp_path, parent)
    assert locate_parent(tmp_path, "a/step-00000001") == tmp_path / "seeds/a/checkpoints/step-00000001"
    (tmp_path / "runs/a/checkpoints/step-00000001").mkdir(parents=True)
    assert locate_parent(tmp_path, "a/step-00000001") == tmp_path / "runs/a/checkpoints/step-00000001"


@pytest.mark.parametrize(
    ("path", "origin"),
    [
        ("/x/demo-abcdef/step-00000001", "demo-abcdef"),
        ("/x/demo-abcdef/checkpoints/step-00000001", "demo-abcdef"),
        ("/x/My Run!/step-00000001", "my-run"),
        ("/step-00000001", "seed"),
    ],
)
def test_where_it_lies_says_where_it_comes_from(path: str, origin: str) -> None:
    assert origin_of(Path(path)) == origin


def test_a_start_from_a_checkpoint_that_is_not_there_is_refused(session: Session) -> None:
    wanted = spec(QUIET, parent="none-abcdef/step-00000001")
    with pytest.raises(CallError, match="no checkpoint none-abcdef/step-00000001 on this host") as error:
        call(session, "start", {"start_id": "s1", "spec": wanted.to_json()}, 20.0)
    assert error.value.code == "not_found"


def test_a_start_from_one_of_another_run_is_taken(session: Session, home: Path) -> None:
    save(make_run(home), 100, {"model.safetensors": b"weights"})
    assert (home / "runs" / RUN_ID / "checkpoints" / "step-00000100" / MANIFEST).exists()
    wanted = spec(QUIET, parent=f"{RUN_ID}/step-00000100")
    answer = call(session, "start", {"start_id": "s1", "spec": wanted.to_json()}, 20.0)
    assert answer["state"] == "running"


def test_a_start_from_a_run_that_is_named_as_elsewhere(session: Session, home: Path) -> None:
    """By the beginning of its id; of two that fit none is chosen, and a whole id needs no list."""
    save(make_run(home), 100, {"model.safetensors": b"weights"})

    def begin(start_id: str, parent: str) -> str:
        wanted = spec(BRIEF, parent=parent, shared_device=True)
        call(session, "start", {"start_id": start_id, "spec": wanted.to_json()}, 20.0)
        return read_spec(open_home(home).run(wanted.run_id)).parent

    assert begin("s1", "demo-ab/step-00000100") == f"{RUN_ID}/step-00000100"
    make_run(home, "demo-abzzzz")
    with pytest.raises(CallError, match="'demo-ab' is the beginning of 2 runs") as error:
        begin("s2", "demo-ab/step-00000100")
    assert RUN_ID in error.value.remedy
    assert begin("s3", f"{RUN_ID}/step-00000100") == f"{RUN_ID}/step-00000100"
    with pytest.raises(CallError, match="no checkpoint demo-abzzzz/step-00000100"):
        begin("s4", "demo-abz/step-00000100")
