"""A real disk without a byte left: every writer of what is kept says so, loses nothing, and goes on later."""

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from remote.agent.error_answers import as_call_error
from remote.agent.kept.labels import Labels, read_labels, write_labels
from remote.agent.runs.archive import copy_whole
from remote.agent.trees.receive_tree import lay_out, parcels_of, settle
from tests.remote.finished_runs import finish, run_id_of
from tests.remote.supervisor.test_full_disk import fill
from tests.small_disk import mounted
from tests.trainer.run.checkpoints.test_manifest import make
from trainer.feed.feed_folder import FeedFolder, drop
from trainer.feed.feed_ledger import FeedEvent, FeedLedger, read_ledger
from trainer.mirror.mirror_fetch import fetch
from trainer.mirror.mirror_places import FolderMirror
from trainer.run.changes import Change, add_change, read_changes
from trainer.run.checkpoints.manifest import checkpoint_name, list_checkpoints, verify
from trainer.run.checkpoints.pins import checkpoints_locked, pin, read_pins, unpin
from trainer.run.checkpoints.trash import bring_back, trash_checkpoints, trashed_checkpoints
from trainer.run.disk.atomic import open_append
from trainer.run.disk.tree_copies import TreePlace, copy_tree, listed
from trainer.run.layout import RunDir
from trainer.user_error import UserError

FIRST, SECOND, NINTH = checkpoint_name(1), checkpoint_name(2), checkpoint_name(9)
TEXT = "a text that is longer than what is left\n" * 200


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs of 3 MiB."""
    with mounted(tmp_path / "disk", 3) as folder:
        yield folder


@dataclass(frozen=True)
class Store:
    """A run on the small disk with two checkpoints, a pin, a label, a change, a ledger; and sources."""

    run: RunDir
    outside: Path
    feed: FeedFolder
    place: TreePlace


@pytest.fixture
def store(small_disk: Path, tmp_path: Path) -> Store:
    run = finish(small_disk / "home", run_id_of(0))
    for step in (1, 2):
        make(run.checkpoints, step)
    pin(run, FIRST)
    write_labels(run, Labels(note="before"))
    add_change(run, Change(attempt=1, values={"steps": 3}))
    with checkpoints_locked(run):
        make(run.checkpoints, 3)
        trash_checkpoints(run, [checkpoint_name(3)])
    feed = FeedFolder(run.path / "feed").create()
    FeedLedger(feed.ledger).note(event(0))
    outside = tmp_path / "outside"
    (outside / "tree" / "below").mkdir(parents=True)
    (outside / "tree" / "below" / "text").write_text(TEXT)
    (outside / "text.txt").write_text(TEXT)
    make(outside / "checkpoints", 9)
    place = TreePlace(small_disk / "home" / "corpora", "books")
    place.draft.mkdir(parents=True)
    for parcel in parcels_of(place, listed(outside / "tree")):
        Path(parcel.path).write_text(TEXT)
    return Store(run, outside, feed, place)


def event(number: int) -> FeedEvent:
    return FeedEvent(
        what="refused", at=float(number), name=f"{number}.txt", claim=str(number), reason="x" * 9000 * number
    )


def receive(store: Store) -> None:
    tree = listed(store.outside / "tree")
    target = store.place.draft / f"tree-{os.urandom(4).hex()}"
    assert lay_out(store.place, tree, target, locked=True) == []
    settle(store.place, tree, target)


def restore(store: Store) -> None:
    with checkpoints_locked(store.run):
        bring_back(store.run)


def let_go(store: Store) -> None:
    with checkpoints_locked(store.run):
        trash_checkpoints(store.run, [SECOND])


def labelled(store: Store) -> None:
    write_labels(store.run, replace(read_labels(store.run), note="after" * 300))


WRITERS: dict[str, Callable[[Store], object]] = {
    "pin": lambda store: pin(store.run, SECOND),
    "unpin": lambda store: unpin(store.run, FIRST),
    "retention": let_go,
    "restore": restore,
    "label": labelled,
    "change": lambda store: add_change(store.run, Change(attempt=2, values={"steps": 4})),
    "ledger": lambda store: FeedLedger(store.feed.ledger).note(event(1)),
    "inbox": lambda store: drop(store.feed, store.outside / "text.txt"),
    "mirror": lambda store: FolderMirror(store.run.path / "mirror").put(
        store.outside / "checkpoints" / NINTH
    ),
    "fetch": lambda store: fetch(
        FolderMirror(store.outside / "checkpoints"), NINTH, store.run, lambda _: None
    ),
    "code": lambda store: copy_tree(
        listed(store.outside / "tree"), store.outside / "tree", store.run.path / "code"
    ),
    "tree": receive,
    "archive": lambda store: copy_whole(
        store.outside / "tree", store.run.path.parents[1] / "elsewhere" / "run"
    ),
}


def told(write: Callable[[Store], object], store: Store) -> str:
    """What an operator is told of the write; nothing where it went well."""
    try:
        write(store)
    except UserError as error:
        return f"{type(error).__name__} {error}"
    except OSError as error:
        return f"{as_call_error(error).code} {error}"
    return ""


def whole(store: Store) -> None:
    """Whatever was there is sound, and nothing that has a name is half of one."""
    for info in list_checkpoints(store.run.checkpoints):
        verify(info.path)
    for one in trashed_checkpoints(store.run):
        verify(one.path)
    kept = {*(info.name for info in list_checkpoints(store.run.checkpoints))}
    assert kept | {one.name for one in trashed_checkpoints(store.run)} >= {FIRST, SECOND, checkpoint_name(3)}
    assert {*read_pins(store.run)} <= {FIRST, SECOND}
    assert read_labels(store.run).note
    assert read_changes(store.run)[0].values == {"steps": 3}
    assert read_ledger(store.feed.ledger).torn == 0
    for path in store.feed.inbox.glob("[!.]*.txt"):
        assert path.read_text() == TEXT
    for path in (store.run.path / "code", store.place.path, store.run.path.parents[1] / "elsewhere" / "run"):
        assert not path.exists() or (path / "below" / "text").read_text() == TEXT
    for name in FolderMirror(store.run.path / "mirror").names():
        verify(store.run.path / "mirror" / name)


@pytest.mark.parametrize("name", WRITERS)
def test_each_writer_tells_of_it_and_goes_on_later(store: Store, small_disk: Path, name: str) -> None:
    fill(small_disk)
    said = told(WRITERS[name], store)
    whole(store)
    assert said or name in ("retention", "restore"), "it wrote onto a full disk"
    assert not said or any(word in said for word in ("No space left", "disk_low", "disk is full", "needs")), (
        said
    )
    (small_disk / "ballast").unlink()
    if said:
        assert told(WRITERS[name], store) == ""
    whole(store)
    assert not list(small_disk.rglob("*.tmp"))


def test_half_a_line_in_a_ledger_would_be_noticed(store: Store, small_disk: Path) -> None:
    """The control: one write, believed, as it was: the disk takes what fits of the line."""
    fill(small_disk)
    with (small_disk / "ballast").open("ab") as file:
        file.truncate((small_disk / "ballast").stat().st_size - 4096)
    fd = open_append(store.feed.ledger)
    try:
        data = b'{"what":"' + b"x" * 9000 + b'"}\n'
        assert os.write(fd, data) < len(data)
    finally:
        os.close(fd)
    assert read_ledger(store.feed.ledger).torn == 1
    with pytest.raises(AssertionError):
        whole(store)


def test_a_ledger_takes_a_line_whole_or_not_at_all(store: Store, small_disk: Path) -> None:
    fill(small_disk)
    with (small_disk / "ballast").open("ab") as file:
        file.truncate((small_disk / "ballast").stat().st_size - 4096)
    ledger, before = FeedLedger(store.feed.ledger), store.feed.ledger.read_bytes()
    with pytest.raises(OSError) as caught:  # noqa: PT011  its number is looked at
        ledger.note(event(2))
    assert caught.value.errno == errno.ENOSPC
    assert store.feed.ledger.read_bytes() == before
    (small_disk / "ballast").unlink()
    ledger.note(event(2))
    assert read_ledger(store.feed.ledger).torn == 0
