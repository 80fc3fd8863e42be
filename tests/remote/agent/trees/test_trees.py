"""Trees and runs on their way: whoever dies in between, nothing half-written shows, and nothing is lost."""

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from remote.actions import Outcome
from remote.actions.kept import move_run
from remote.actions.kept.keep import restore_run
from remote.agent.context import Context
from remote.agent.handlers import HANDLERS
from remote.agent.kept.gone import GOING, clear_going, read_moved, trash_folder
from remote.agent.kept.labels import read_labels
from remote.agent.runs.archive import copy_whole
from remote.agent.trees.old_code import KEPT, clear_old_code, used_now
from remote.agent.trees.old_drafts import DRAFT_REST_S, FOLDERS, clear_old_drafts
from remote.agent.trees.receive_tree import LIST, lay_out, parcels_of, settle
from remote.hosts.host import Host
from remote.protocol.errors import CallError
from remote.protocol.keeping import DepartArgs, KeepArgs
from remote.protocol.verbs import ARCHIVE, DEPART, RESTORE, RUN_TREE, Verb
from remote.session.session import Session
from remote.transfer.trees.copy_run import copy_run
from remote.transfer.trees.send_tree import SentTree
from tests.remote.finished_runs import finish
from tests.trials import trials
from trainer.run.disk.file_tree import FileTree, TreeLink
from trainer.run.disk.leftovers import PART_REST_S
from trainer.run.disk.tree_copies import TreePlace, copy_tree, differing, inside, listed, make_links
from trainer.run.home import open_home
from trainer.run.layout import RunDir
from trainer.run.states import State

RUN = "night-abcdef"


class PowerCut(BaseException):
    """What ends a client in the middle of a move."""


class Up:
    """A link that is."""

    is_up = True


class InProcess:
    """An agent in this process, as a session calls it; `cut_at` verbs are answered, and the next never."""

    def __init__(self, root: Path, name: str) -> None:
        self.ctx = Context.of(open_home(root))
        self.host, self.link = Host(name), Up()
        self.asked: list[str] = []
        self.cut_at = 1 << 30

    def call(self, verb: Verb[Any, Any], args: Any, timeout: float = 0.0) -> Any:
        if len(self.asked) >= self.cut_at:
            raise PowerCut
        self.asked.append(verb.name)
        work = HANDLERS[verb.name](self.ctx, args)
        if not hasattr(work, "send"):
            return work
        while True:
            try:
                next(work)
            except StopIteration as done:
                return done.value
            time.sleep(0.001)


@pytest.fixture(autouse=True)
def nobody_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    """These runs never had a process: two looks at the whole process table a verb are dear."""
    monkeypatch.setattr("remote.agent.runs.quiet.settled", lambda *_: [])


def session(one: InProcess) -> Session:
    return cast(Session, one)


def go(origin: InProcess, target: InProcess) -> None:
    """A run from one to the other, as `archive --to HOST` does it."""
    origin.call(ARCHIVE, ARCHIVE.args(run_id=RUN))
    sent = copy_run(session(origin), session(target), RUN, "me")
    origin.call(DEPART, DepartArgs(run_id=RUN, to=f"far:{RUN}", sha256=sent.sha256))


@pytest.fixture
def night(tmp_path: Path) -> RunDir:
    """A run that is over, with what runs leave."""
    run = finish(tmp_path / "near", RUN, state=State.STOPPED)
    (run.checkpoints / "step-00000010").mkdir()
    (run.checkpoints / "step-00000010" / "model.safetensors").write_bytes(os.urandom(20_000))
    (run.path / "code").mkdir()
    (run.path / "code" / "größe.sh").write_text("exit\n")
    (run.path / "code" / "größe.sh").chmod(0o700)
    (run.path / "code" / "link").symlink_to("größe.sh")
    (run.path / "code" / "notes.tmp").write_text("somebody's own\n")
    return run


def test_a_run_goes_whole_and_the_old_home_says_where(tmp_path: Path, night: RunDir) -> None:
    origin, target = InProcess(tmp_path / "near", "local"), InProcess(tmp_path / "far", "local")
    before = {one.path: one for one in listed(night.path).files}
    go(origin, target)
    there = open_home(tmp_path / "far").run(RUN)
    after = {one.path: one for one in listed(there.path).files}
    new = {"arrived.json", "labels.json"}
    assert {path: one for path, one in after.items() if path not in new} == {
        path: one for path, one in before.items() if path not in new
    }
    assert str((there.path / "code" / "link").readlink()) == "größe.sh"
    assert (there.path / "code" / "notes.tmp").read_text() == "somebody's own\n"
    assert read_labels(there).archived
    assert not night.path.exists()
    with pytest.raises(CallError, match=f"was moved to far:{RUN}") as caught:
        origin.call(RUN_TREE, KeepArgs(run_id=RUN))
    assert caught.value.remedy == f"photinus show far:{RUN}"
    target.call(RESTORE, KeepArgs(run_id=RUN))
    assert not read_labels(there).archived
    go(target, origin)  # and back
    assert night.state.exists()
    assert read_moved(open_home(tmp_path / "near"), RUN) is None


def test_cut_after_any_verb_of_either_it_is_whole_somewhere_and_the_same_again_goes_on(
    tmp_path: Path, night: RunDir
) -> None:
    moved = 0
    for cut_at in range(1, 20):
        for who in (0, 1):
            shutil.copytree(tmp_path / "near" / "runs", tmp_path / "kept", symlinks=True)
            ends = [InProcess(tmp_path / "near", "local"), InProcess(tmp_path / "far", "local")]
            ends[who].cut_at = cut_at - 1
            try:
                go(*ends)
                moved += 1
            except PowerCut:
                homes = [open_home(tmp_path / name).run(RUN) for name in ("near", "far")]
                here, there = (run.spec.exists() for run in homes)
                assert here or there
                assert not there or len(listed(homes[1].path).files) >= len(
                    listed(tmp_path / "kept" / RUN).files
                )
                if here:
                    assert homes[0].checkpoints.is_dir()
                    again = [InProcess(tmp_path / "near", "local"), InProcess(tmp_path / "far", "local")]
                    go(*again)
            assert not night.path.exists()
            assert open_home(tmp_path / "far").run(RUN).spec.exists()
            shutil.rmtree(tmp_path / "near")
            shutil.rmtree(tmp_path / "far")
            open_home(tmp_path / "near")
            shutil.copytree(tmp_path / "kept", tmp_path / "near" / "runs", symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(tmp_path / "kept")
        if moved >= 2:
            break
    assert moved >= 2
    assert cut_at > 3  # it was cut somewhere


@pytest.mark.parametrize("what", ["code/größe.sh", "code/link"])
def test_what_was_changed_meanwhile_stays_and_another_run_is_never_replaced(
    tmp_path: Path, night: RunDir, what: str
) -> None:
    origin, target = InProcess(tmp_path / "near", "local"), InProcess(tmp_path / "far", "local")
    with pytest.raises(CallError, match="is not archived"):
        copy_run(session(origin), session(target), RUN, "me")
    origin.call(ARCHIVE, ARCHIVE.args(run_id=RUN))
    sent = copy_run(session(origin), session(target), RUN, "me")
    changed = night.path / what
    if changed.is_symlink():
        changed.unlink()
        changed.symlink_to("elsewhere")
    else:
        changed.write_text("later\n")
        os.utime(changed, (1e9, 1e9))  # as a copying program leaves it
    gone = DepartArgs(run_id=RUN, to=f"far:{RUN}", sha256=sent.sha256)
    with pytest.raises(CallError, match="was changed while it was copied"):
        origin.call(DEPART, gone)
    assert night.state.exists()
    with pytest.raises(CallError, match="there is a run night-abcdef on that host already"):
        copy_run(session(origin), session(target), RUN, "me")


def test_what_is_refused_there_is_taken_back_and_listed_here_again(
    tmp_path: Path, night: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin, target = InProcess(tmp_path / "near", "local"), InProcess(tmp_path / "far", "far")
    busy = Outcome(False, None, "device_busy", "cpu is held by x", "wait")
    monkeypatch.setattr(move_run, "resume_run", lambda *_, **__: busy)
    view = origin.ctx.view(night)

    def copy(by: str) -> SentTree:
        return copy_run(session(origin), session(target), RUN, by)

    sent = move_run.carry(session(origin), view, copy)
    restore_run(session(target), RUN)
    with pytest.raises(CallError, match="cannot go on there: cpu is held by x; it is on local") as caught:
        move_run.resume_there(session(origin), session(target), view, sent, {})
    assert caught.value.code == "device_busy"
    assert night.state.exists()
    assert not read_labels(night).archived
    assert list((tmp_path / "far" / "runs").iterdir()) == []
    lost = Outcome(False, None, "unreachable", "gone", "")
    monkeypatch.setattr(move_run, "resume_run", lambda *_, **__: lost)
    sent = move_run.carry(session(origin), origin.ctx.view(night), copy)
    with pytest.raises(CallError, match="gone"):  # whether it goes on there is not known: both stay
        move_run.resume_there(session(origin), session(target), view, sent, {})
    assert read_labels(night).archived
    assert (tmp_path / "far" / "runs" / RUN / "state.json").exists()
    monkeypatch.setattr(move_run, "resume_run", lambda *_, **__: busy)
    state = tmp_path / "far" / "runs" / RUN / "state.json"
    state.write_text(state.read_text().replace('"attempt": 1', '"attempt": 2'))
    with pytest.raises(CallError, match="has gone on at far since it came there, and stays: cpu is held"):
        move_run.resume_there(session(origin), session(target), view, sent, {})
    assert (tmp_path / "far" / "runs" / RUN / "state.json").exists()


def test_a_link_is_never_made_through_a_link_and_a_folder_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "tree" / "d").mkdir(parents=True)
    links = (TreeLink("p/x", "../d"), TreeLink("p/x/y", "../../z"))  # p/X/y, where case is nothing
    with pytest.raises(OSError, match="symbolic links"):
        make_links(FileTree((), links), tmp_path / "tree")
    assert list((tmp_path / "tree" / "d").iterdir()) == []
    with pytest.raises(FileNotFoundError):
        list(inside(tmp_path / "gone"))


def test_what_an_agent_died_over_removing_goes_with_the_next_contact(tmp_path: Path) -> None:
    home = open_home(tmp_path / "home")
    left = trash_folder(home) / f"{GOING}{RUN}"
    left.mkdir(parents=True)
    (left / "big").write_text("x")
    (trash_folder(home) / RUN).mkdir()
    for _ in clear_going(home):
        pass
    assert [path.name for path in trash_folder(home).iterdir()] == [RUN]


def test_what_nobody_sends_on_goes_with_the_contact_and_what_somebody_does_stays(tmp_path: Path) -> None:
    home = open_home(tmp_path / "home")
    week, day = time.time() - DRAFT_REST_S - 60, time.time() - PART_REST_S - 60

    def lying(path: Path, at: float, *inside: float) -> Path:
        path.mkdir(parents=True)
        for number, one in enumerate(inside):
            (path / f"pack-{number}").write_text("x")
            os.utime(path / f"pack-{number}", (one, one))
        os.utime(path, (at, at))
        return path

    old = [lying(home.root / folder / ".draft-old", week, week) for folder in FOLDERS]
    kept = [
        lying(home.root / "code" / ".draft-asked-for-now", time.time(), week),
        lying(home.root / "corpora" / ".draft-written-to", week, time.time()),
        lying(home.root / "corpora" / "books", week, week),
    ]
    died_over = lying(home.root / "arriving" / f"{GOING}other", week, week)
    inbox = home.root / "runs" / RUN / "feed" / "inbox"
    parts = [
        inbox / ".a.part",
        inbox / "high" / f".{'0' * 24}.part",
        inbox / "low" / ".new.part",
        inbox / "a.txt",
    ]
    for path, at in zip(parts, (day, day, time.time(), day), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("half")
        os.utime(path, (at, at))
    of_one_that_is_over = lying(home.root / "runs" / "over-abcdef" / "feed" / "inbox", day, day) / ".b.part"
    of_one_that_is_over.write_text("half")
    os.utime(of_one_that_is_over, (day, day))
    for _ in clear_old_drafts(home, [home.run(RUN)]):
        pass
    assert of_one_that_is_over.exists(), "thousands of runs that are over are not walked"
    assert [path for path in (*old, died_over) if path.exists()] == []
    assert [path for path in kept if not (path / "pack-0").exists()] == []
    assert [path.name for path in parts if path.exists()] == [".new.part", "a.txt"]


def test_every_folder_of_a_tree_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, synced = tmp_path / "source", list[Path]()
    (source / "a" / "b").mkdir(parents=True)
    (source / "a" / "b" / "text").write_text("x")

    def noted(path: Path) -> None:
        synced.append(path)
        assert path.name != "here" or len(synced) > 2

    monkeypatch.setattr("trainer.run.disk.tree_copies.fsync_folder", noted)
    copy_tree(listed(source), source, tmp_path / "here" / "copy")
    assert [path.name for path in synced] == [".copy.part", "a", "b", "here"]
    synced.clear()
    copy_whole(source, tmp_path / "here" / "whole")
    assert [path.name for path in synced] == [".whole.part", "a", "b"]
    synced.clear()
    place = TreePlace(tmp_path / "code", "c")
    place.draft.mkdir(parents=True)
    tree = listed(source)
    for parcel in parcels_of(place, tree):
        Path(parcel.path).write_text("x")
    assert lay_out(place, tree, place.draft / "tree", locked=True) == []
    assert [path.name for path in synced] == ["tree", "a", "b"]


def test_only_the_newest_code_stays_and_what_a_run_that_waits_needs(tmp_path: Path) -> None:
    ctx = Context.of(open_home(tmp_path / "home"))
    hashes = [f"{number:064x}" for number in range(KEPT + 3)]
    for number, name in enumerate(hashes):
        place = TreePlace(tmp_path / "home" / "code", name)
        place.path.mkdir(parents=True)
        place.record.write_text("{}")
        os.utime(place.path, (1e9 + number, 1e9 + number))
    used_now(TreePlace(tmp_path / "home" / "code", hashes[0]))
    waits = finish(tmp_path / "home", "waits-abcdef", state=State.QUEUED, code={"sha256": hashes[1]})
    ctx.index.look(waits.run_id)
    for _ in clear_old_code(ctx):
        pass
    left = {path.name for path in (tmp_path / "home" / "code").iterdir() if path.name[0] != "."}
    assert left == {*hashes} - {hashes[2], hashes[3]}
    assert not TreePlace(tmp_path / "home" / "code", hashes[2]).record.exists()


def begun(work: Callable[[], None]) -> int:
    """The pid of a process that has begun to do it."""
    told, says = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(says, b".")
            work()
        finally:
            os._exit(0)
    os.close(says)
    os.read(told, 1)
    os.close(told)
    return pid


def killed(work: Callable[[], None], after_s: float) -> None:
    """Do it in a process of its own, and SIGKILL that at a moment of its work."""
    pid = begun(work)
    time.sleep(after_s)  # the random moment: nothing is waited for
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


@pytest.mark.chaos
@pytest.mark.claim("a kill -9 while code arrives or a run is archived leaves nothing half-written in sight")
def test_kill_nine_at_random_moments_of_shipping_and_archiving(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    source = tmp_path / "source"
    for number in range(12):
        path = source / f"d{number % 3}" / f"{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(2000 + number))
    tree = listed(source)
    draw = random.Random(15)

    def receive() -> None:
        place.draft.mkdir(parents=True, exist_ok=True)
        (place.draft / LIST).write_bytes(tree.encoded)
        for parcel in parcels_of(place, tree):
            files = sorted(tree.files)
            Path(parcel.path).write_bytes(
                b"".join((source / files[at].path).read_bytes() for at in parcel.files)
            )
        target = place.draft / f"tree-{os.getpid()}"
        assert lay_out(place, tree, target, locked=True) == []
        settle(place, tree, target)
        copy_tree(tree, place.path, tmp_path / "run" / "code")

    def everything() -> None:
        receive()
        copy_whole(source, tmp_path / "run" / "archived")

    def begin() -> TreePlace:
        shutil.rmtree(tmp_path / "home", ignore_errors=True)
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
        return TreePlace(tmp_path / "home" / "code", tree.sha256)

    place = begin()
    began = time.monotonic()
    os.waitpid(begun(everything), 0)
    whole_s = time.monotonic() - began
    seen = set()
    for number in range(trials(20, 200)):
        place = begin()
        if number == 0:  # one that nobody kills
            os.waitpid(begun(everything), 0)
        else:
            killed(everything, draw.uniform(0, 1.3 * whole_s))
        got = place.read()
        for folder, is_there in (
            (place.path, got is not None),
            (tmp_path / "run" / "code", (tmp_path / "run" / "code").exists()),
            (tmp_path / "run" / "archived", (tmp_path / "run" / "archived").exists()),
        ):
            assert not is_there or differing(tree, folder) == []
            seen.add((folder.name, is_there))
        receive_again(place, receive)
        assert differing(tree, place.path) == []
    record_property("trials", trials(20, 200))
    assert len({name for name, _ in seen}) == 3
    assert {is_there for _, is_there in seen} == {True, False}


def receive_again(place: TreePlace, receive: Callable[[], None]) -> None:
    """What a client does next: nothing where it is there, else all of it."""
    if place.read() is None:
        shutil.rmtree(place.path.parents[1].parent / "run" / "code", ignore_errors=True)
        receive()


def test_a_tree_that_is_listed_but_not_whole_would_be_noticed(tmp_path: Path) -> None:
    """The control of the trial above."""
    (tmp_path / "a").write_text("1")
    tree: FileTree = listed(tmp_path)
    (tmp_path / "a").write_text("2")
    assert differing(tree, tmp_path) == ["a"]
    (tmp_path / "a").unlink()
    assert differing(tree, tmp_path) == ["a"]
