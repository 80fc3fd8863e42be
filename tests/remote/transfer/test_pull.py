"""`pull` on `local`: choosing, proving, resuming, skipping; a host that lies, loses or damages."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from remote.protocol.errors import CallError
from remote.session.session import Session
from remote.transfer.fetch_file import CancelledError
from remote.transfer.pull import Pulled, PullOptions, pull
from remote.transfer.safe_names import PART
from remote.transfer.select import Choice
from remote.transfer.sources import GoneError, LocalSource, LostError
from remote.transfer.workers import TransferTimeouts
from tests.remote.transfer.saved import RUN_ID, make_run, same, save
from trainer.run.checkpoints.manifest import MANIFEST, checkpoint_name
from trainer.run.layout import RunDir

IMPATIENT = TransferTimeouts(lost_s=0.2, look_s=0.01)


@pytest.fixture
def run(home: Path) -> RunDir:
    run = make_run(home)
    for step, val_ce in ((100, 3.0), (200, 1.0), (300, 2.0)):
        save(run, step, files(), val_ce)
    return run


@pytest.fixture
def to(tmp_path: Path) -> Path:
    return tmp_path / "to"


def files(size: int = 300_000) -> dict[str, bytes]:
    return {"model.safetensors": os.urandom(size), "optimizer.safetensors": os.urandom(2 * size + 1)}


class Fickle(LocalSource):
    """Reads a file as it is, but for what `act(path, offset, data)` makes of each piece."""

    def __init__(self, act: Callable[[str, int, bytes], bytes]) -> None:
        self._act = act

    def read(self, path: str, start: int, end: int) -> Iterator[bytes]:
        for whole in super().read(path, start, end):
            for at in range(0, len(whole), 1 << 16):
                data = whole[at : at + (1 << 16)]
                yield self._act(path, start + at, data)
            start += len(whole)


def through(act: Callable[[str, int, bytes], bytes], workers: int = 1) -> PullOptions:
    return PullOptions(open_source=lambda _: Fickle(act), timeouts=IMPATIENT, workers=workers)


def names(pulled: Pulled) -> list[str]:
    return [one.name for one in pulled.fetched]


def is_whole(pulled: Pulled, run: RunDir) -> bool:
    return all(same(pulled.folder / one.name, run.checkpoints / one.name) for one in pulled.fetched)


@pytest.mark.parametrize(
    ("choice", "steps"),
    [
        (Choice(), [300]),
        (Choice("best"), [200]),
        (Choice("match", glob="*-000001*"), [100]),
        (Choice("since", step=200), [300, 200]),
        (Choice("all"), [300, 200, 100]),
    ],
)
def test_what_was_asked_for_comes_whole(
    session: Session, run: RunDir, to: Path, choice: Choice, steps: list[int]
) -> None:
    pulled = pull(session, RUN_ID, choice, to)
    assert [one.step for one in pulled.fetched] == steps
    assert pulled.folder == to / RUN_ID
    assert is_whole(pulled, run)
    assert pulled.sent == sum(one.size for one in pulled.fetched)


def test_three_best_of_twelve_come_once(session: Session, home: Path, to: Path) -> None:
    run, best = make_run(home, "many-abcdef"), (3, 7, 11)
    for step in range(1, 13):
        save(run, step, files(10), val_ce=9.0 - step / 10, kind="best" if step in best else "periodic")
    pulled = pull(session, run.run_id, Choice("match", glob="*best*"), to)
    assert sorted(one.step for one in pulled.fetched) == [*best]
    assert sorted(path.name for path in pulled.folder.glob("step-*")) == [*map(checkpoint_name, best)]
    again = pull(session, run.run_id, Choice("match", glob="*best*"), to)
    assert (again.fetched, again.sent) == ((), 0)


def test_nothing_that_fits_is_said_with_what_there_is(session: Session, run: RunDir, to: Path) -> None:
    with pytest.raises(CallError, match="no checkpoint from step 400 on") as error:
        pull(session, RUN_ID, Choice("since", step=400), to)
    assert error.value.code == "not_found"
    assert "step-00000300" in error.value.remedy
    with pytest.raises(CallError, match="no run"):
        pull(session, "none-abcdef", to=to)
    with pytest.raises(CallError, match="no checkpoint"):
        pull(session, make_run(session.host.home_path(), "empty-abcdef").run_id, to=to)


def test_an_unmeasured_run_has_no_best(session: Session, home: Path, to: Path) -> None:
    save(make_run(home), 5, files(10))
    with pytest.raises(CallError, match="none is the best"):
        pull(session, RUN_ID, Choice("best"), to)


def test_what_is_here_is_skipped_and_what_was_replaced_on_the_host_is_not(
    session: Session, run: RunDir, to: Path
) -> None:
    pull(session, RUN_ID, to=to)
    again = pull(session, RUN_ID, to=to)
    assert (names(again), [one.name for one in again.identical], again.sent) == ([], ["step-00000300"], 0)
    old = (to / RUN_ID / "step-00000300" / "model.safetensors").read_bytes()
    shutil.rmtree(run.checkpoints / "step-00000300")
    save(run, 300, files())
    changed = pull(session, RUN_ID, to=to)
    assert names(changed) == ["step-00000300"]
    assert is_whole(changed, run)
    assert (to / RUN_ID / "step-00000300.was-1" / "model.safetensors").read_bytes() == old


def test_a_file_that_was_changed_here_is_found_when_asked_and_fetched_alone(
    session: Session, run: RunDir, to: Path
) -> None:
    folder = pull(session, RUN_ID, to=to).folder / "step-00000300"
    with (folder / "model.safetensors").open("r+b") as file:
        file.write(b"changed")
    assert names(pull(session, RUN_ID, to=to)) == []
    thorough = pull(session, RUN_ID, to=to, options=PullOptions(is_thorough=True))
    assert is_whole(thorough, run)
    assert 300_000 < thorough.sent < 310_000
    (folder / "model.safetensors").unlink()  # what is missing is found without asking
    assert is_whole(pull(session, RUN_ID, to=to), run)


def test_a_byte_that_changes_on_the_way_is_found_and_asked_for_again(
    session: Session, run: RunDir, to: Path
) -> None:
    flips = [1]

    def flip(path: str, offset: int, data: bytes) -> bytes:
        if path.endswith("model.safetensors") and offset > 100_000 and flips:
            flips.pop()
            return bytes([data[0] ^ 1]) + data[1:]
        return data

    pulled = pull(session, RUN_ID, to=to, options=through(flip))
    assert not flips
    assert is_whole(pulled, run)


def test_a_file_that_is_damaged_on_the_host_is_never_taken_for_whole(
    session: Session, run: RunDir, to: Path
) -> None:
    with (run.checkpoints / "step-00000300" / "model.safetensors").open("r+b") as file:
        file.write(b"x")
    with pytest.raises(CallError, match="another SHA-256, twice") as error:
        pull(session, RUN_ID, to=to)
    assert error.value.code == "damaged"
    folder = to / RUN_ID / "step-00000300"
    assert not (folder / MANIFEST).exists()
    assert not (folder / "model.safetensors").exists()
    with pytest.raises(CallError, match="another SHA-256, twice; 2 others came whole"):
        pull(session, RUN_ID, Choice("all"), to)
    assert all((to / RUN_ID / f"step-00000{n}00" / MANIFEST).exists() for n in (1, 2))
    shutil.rmtree(to)
    with (run.checkpoints / "step-00000200" / "model.safetensors").open("ab") as file:
        file.truncate(10)
    with pytest.raises(CallError, match="10 bytes, not 300000"):
        pull(session, RUN_ID, Choice("best"), to)


def test_a_lost_link_goes_on_behind_what_came(session: Session, run: RunDir, to: Path) -> None:
    cuts = [400_000, 200_000, 100_000]

    def cut(path: str, offset: int, data: bytes) -> bytes:
        if path.endswith("optimizer.safetensors") and cuts and offset >= cuts[-1]:
            cuts.pop()
            raise LostError("cut")
        return data

    pulled = pull(session, RUN_ID, to=to, options=through(cut))
    assert is_whole(pulled, run)
    assert pulled.sent == sum(one.size for one in pulled.fetched)  # not a byte twice


def test_a_link_that_stays_away_is_told_and_the_next_pull_goes_on(
    session: Session, run: RunDir, to: Path
) -> None:
    def lose(path: str, offset: int, data: bytes) -> bytes:
        if path.endswith("optimizer.safetensors") and offset >= 500_000:
            raise LostError("cut")
        return data

    with pytest.raises(CallError, match="nothing came over the link") as error:
        pull(session, RUN_ID, to=to, options=through(lose))
    assert error.value.code == "unreachable"
    again = pull(session, RUN_ID, to=to)
    assert is_whole(again, run)
    assert again.sent < 200_000


def test_a_part_that_was_changed_here_meanwhile_is_not_built_upon(
    session: Session, run: RunDir, to: Path
) -> None:
    def lose(path: str, offset: int, data: bytes) -> bytes:
        if offset >= 200_000:
            raise LostError("cut")
        return data

    with pytest.raises(CallError, match="nothing came over the link"):
        pull(session, RUN_ID, to=to, options=through(lose))
    part = to / RUN_ID / "step-00000300" / ("model.safetensors" + PART)
    with part.open("r+b") as file:
        file.write(b"changed")
    assert is_whole(pull(session, RUN_ID, to=to), run)


def test_leaving_keeps_the_parts(session: Session, run: RunDir, to: Path) -> None:
    seen, leave = threading.Event(), threading.Event()

    def hold(path: str, offset: int, data: bytes) -> bytes:
        if path.endswith("model.safetensors") and offset >= 131072:
            seen.set()
            leave.wait(10.0)
        return data

    def is_cancelled() -> bool:
        if seen.is_set():
            leave.set()
        return seen.is_set()

    with pytest.raises(CancelledError):
        pull(session, RUN_ID, to=to, options=through(hold), is_cancelled=is_cancelled)
    assert not (to / RUN_ID / "step-00000300" / MANIFEST).exists()
    again = pull(session, RUN_ID, to=to)
    assert is_whole(again, run)
    assert again.sent < again.fetched[0].size - 100_000


def test_a_checkpoint_that_retention_removes_is_told_and_the_others_come(
    session: Session, run: RunDir, to: Path
) -> None:
    def remove(path: str, offset: int, data: bytes) -> bytes:
        if "step-00000200/optimizer" in path:
            shutil.rmtree(run.checkpoints / "step-00000200", ignore_errors=True)
            raise GoneError(path)
        return data

    pulled = pull(session, RUN_ID, Choice("all"), to, options=through(remove, workers=3))
    assert (names(pulled), pulled.gone) == (["step-00000300", "step-00000100"], ("step-00000200",))
    assert is_whole(pulled, run)
    assert not (to / RUN_ID / "step-00000200").exists()


def test_the_best_that_is_removed_meanwhile_is_chosen_anew(session: Session, run: RunDir, to: Path) -> None:
    def remove(path: str, offset: int, data: bytes) -> bytes:
        if "step-00000200/model" in path:
            shutil.rmtree(run.checkpoints / "step-00000200", ignore_errors=True)
            raise GoneError(path)
        return data

    pulled = pull(session, RUN_ID, Choice("best"), to, options=through(remove))
    assert (names(pulled), pulled.gone) == (["step-00000300"], ("step-00000200",))


def test_what_the_agent_lists_and_nobody_finds_is_told_as_such(
    session: Session, run: RunDir, to: Path
) -> None:
    """An SFTP server in a chroot."""

    def hide(path: str, offset: int, data: bytes) -> bytes:
        raise GoneError(path)

    for choice in (Choice(), Choice("all")):
        with pytest.raises(CallError, match="its SFTP finds nothing") as error:
            pull(session, RUN_ID, choice, to, options=through(hide))
        assert "ChrootDirectory" in error.value.remedy


def test_a_checkpoint_that_cannot_be_read_is_passed_over(session: Session, run: RunDir, to: Path) -> None:
    (run.checkpoints / "step-00000300" / MANIFEST).write_text("{torn")
    pulled = pull(session, RUN_ID, to=to)
    assert names(pulled) == ["step-00000200"]
    assert "cannot be read" in pulled.unreadable["step-00000300"]
    assert pull(session, RUN_ID, Choice("best"), to).unreadable == {}


def test_space_is_counted_before_anything_is_fetched(session: Session, run: RunDir, to: Path) -> None:
    with pytest.raises(CallError, match="MB are needed") as error:
        pull(session, RUN_ID, to=to, options=PullOptions(disk_free=lambda _: 1 << 20))
    assert error.value.code == "disk_low"


def test_two_pulls_do_not_write_into_one_folder(session: Session, run: RunDir, to: Path) -> None:
    seen, leave = threading.Event(), threading.Event()

    def hold(path: str, offset: int, data: bytes) -> bytes:
        seen.set()
        leave.wait(10.0)
        return data

    first = threading.Thread(
        target=pull, args=(session, RUN_ID, Choice(), to), kwargs={"options": through(hold)}
    )
    first.start()
    assert seen.wait(10.0)
    with pytest.raises(CallError, match="another pull"):
        pull(session, RUN_ID, to=to)
    leave.set()
    first.join(10.0)


def test_a_folder_that_cannot_be_made_is_named(session: Session, run: RunDir, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CallError, match="cannot be made on this machine") as caught:
        pull(session, RUN_ID, to=tmp_path / "file")
    assert "--to" in caught.value.remedy


def test_nothing_is_written_through_a_link(session: Session, run: RunDir, to: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (to / RUN_ID).mkdir(parents=True)
    (to / RUN_ID / "step-00000300").symlink_to(elsewhere)
    with pytest.raises(CallError, match="is not a folder"):
        pull(session, RUN_ID, to=to)
    assert not list(elsewhere.iterdir())
