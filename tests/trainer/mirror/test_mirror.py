"""Checkpoints elsewhere: a folder, a host, a store; whole or not there, proven when they come back."""

import hashlib
import os
import shutil
import stat
import threading
import uuid
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.trainer.loop.tiny import events, run, text_fixture, weights
from tests.trainer.mirror.s3_stand_in import KEY, REGION, SECRET, S3StandIn, serving
from tests.trainer.run.checkpoints.test_manifest import make
from trainer.mirror.mirror_copier import MirrorCopier
from trainer.mirror.mirror_fetch import fetch_newest
from trainer.mirror.mirror_places import (
    FolderMirror,
    HostMirror,
    MirrorError,
    MirrorPlace,
    UrlMirror,
    place_at,
)
from trainer.run.checkpoints.manifest import checkpoint_name, list_checkpoints, verify
from trainer.run.layout import RunDir

__all__ = ["text_fixture"]
PLACES = ("folder", "host", "url")
SSH = """#!/bin/sh
# a stand-in for OpenSSH: what is asked of `box` is done here
while [ "$1" != -- ]; do shift; done
[ "$2" = box ] || { echo "ssh: Could not resolve hostname $2" >&2; exit 255; }
exec sh -c "$3"
"""


@pytest.fixture(name="open_place")
def open_place_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], MirrorPlace]:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "ssh").write_text(SSH)
    (tools / "ssh").chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", str(tools), prepend=":")
    one = uuid.uuid4().hex

    def opened(kind: str) -> MirrorPlace:
        where = {
            "folder": f"{tmp_path}/a disk/it's",
            "host": f"box:{tmp_path}/a host/it's",
            "url": f"memory://{one}",
        }
        return place_at(where[kind], "demo")

    return opened


@pytest.mark.parametrize("kind", ["folder", "host", "file"])
def test_a_fifo_in_a_mirror_is_passed_over_and_never_waited_for(
    tmp_path: Path, kind: str, open_place: Callable[[str], MirrorPlace]
) -> None:
    place, told = (
        place_at(f"file://{tmp_path}/m", "demo") if kind == "file" else open_place(kind),
        list[str](),
    )
    for step in (9, 15):
        place.put(make(tmp_path / "there", step))
    model = next(tmp_path.glob(f"*/**/demo/{checkpoint_name(15)}/model.safetensors"))
    model.unlink()
    os.mkfifo(model)
    here = RunDir(tmp_path / "here")
    assert fetch_newest(place, here, told.append) == here.checkpoints / checkpoint_name(9)
    assert "model.safetensors" in told[0]
    odd = make(tmp_path / "there", 20)
    os.mkfifo(odd / "more")
    with pytest.raises(MirrorError, match="is a FIFO"):
        place.put(odd)
    assert place.names() == [checkpoint_name(step) for step in (9, 15)]


@pytest.mark.parametrize("kind", PLACES)
def test_what_goes_there_comes_back_whole_and_nothing_else(
    tmp_path: Path, kind: str, open_place: Callable[[str], MirrorPlace]
) -> None:
    place, here, told = open_place(kind), RunDir(tmp_path / "here"), list[str]()
    assert isinstance(place, {"folder": FolderMirror, "host": HostMirror, "url": UrlMirror}[kind])
    assert place.names() == []
    for step in (9, 15, 100):
        place.put(make(tmp_path / "there", step))
    place.put(tmp_path / "there" / checkpoint_name(15))  # again, in its place
    assert place.names() == [checkpoint_name(step) for step in (9, 15, 100)]
    assert fetch_newest(place, here, told.append) == here.checkpoints / checkpoint_name(100)
    assert verify(here.checkpoints / checkpoint_name(100)).step == 100
    assert len(told) == 1
    fetch_newest(place, here, told.append)
    assert len(told) == 1  # what is here already is not fetched again
    place.remove(checkpoint_name(100))
    place.remove(checkpoint_name(100))
    assert place.names() == [checkpoint_name(step) for step in (9, 15)]


def test_a_torn_one_is_passed_over_and_no_draft_stays(
    tmp_path: Path, open_place: Callable[[str], MirrorPlace]
) -> None:
    place, here, told = open_place("folder"), RunDir(tmp_path / "here"), list[str]()
    assert isinstance(place, FolderMirror)
    for step in (1, 2, 3, 4):
        place.put(make(tmp_path / "there", step))
    model = next(path for path in (place.folder / checkpoint_name(4)).iterdir() if path.name != "state.json")
    model.write_bytes(model.read_bytes()[:-1])
    longer = next(path for path in (place.folder / checkpoint_name(3)).iterdir() if path.name != "state.json")
    longer.write_bytes(longer.read_bytes() * 3)
    (place.folder / checkpoint_name(2) / "state.json").unlink()
    assert fetch_newest(place, here, told.append).name == checkpoint_name(1)
    assert ["torn" in told[0], "larger" in told[1], len(told)] == [True, True, 3]
    assert [path.name for path in here.checkpoints.iterdir()] == [checkpoint_name(1)]
    shutil.rmtree(place.folder / checkpoint_name(1))
    with pytest.raises(MirrorError, match="nothing to go on from"):
        fetch_newest(place, RunDir(tmp_path / "nowhere"), told.append)


def test_what_could_not_be_copied_is_told_once_and_comes_with_the_next(tmp_path: Path) -> None:
    class Sulking(FolderMirror):
        fails = True

        def put(self, checkpoint: Path) -> None:
            if self.fails:
                raise ConnectionError("no route to the store")
            super().put(checkpoint)

    place, folder = Sulking(tmp_path / "there"), tmp_path / "here"
    copier = MirrorCopier(place, folder)
    for step in (1, 2):
        make(folder, step)
        copier.take(checkpoint_name(step))
    assert not copier.finish(20)
    assert [level for level, _ in copier.told()] == ["warning"]
    place.fails = False
    make(folder, 3)
    make(folder, 4)
    (folder / checkpoint_name(4) / "state.json").unlink()  # no checkpoint: it goes nowhere
    copier.take(checkpoint_name(3))
    copier.take(checkpoint_name(4))
    assert copier.finish(20)
    assert [level for level, _ in copier.told()] == ["info"]
    assert place.names() == [checkpoint_name(step) for step in (1, 2, 3)]
    make(place.folder, 7)  # of another process
    copier.take(checkpoint_name(3), [checkpoint_name(1), checkpoint_name(7)])
    assert copier.finish(20)
    assert place.names() == [checkpoint_name(step) for step in (2, 3, 7)]


@pytest.mark.parametrize(
    ("text", "why"),
    [("-oProxyCommand=evil:/tmp", "no mirror"), ("box:", "no mirror"), ("here/there", "whole path"),
     ("nosuch://bucket/x", r"photinus\[mirror\]")],
)  # fmt: skip
def test_what_is_no_place_is_refused(text: str, why: str) -> None:
    with pytest.raises(MirrorError, match=why):
        place_at(text)


def test_a_host_that_does_not_answer_is_named(open_place: Callable[[str], MirrorPlace]) -> None:
    with pytest.raises(MirrorError, match="elsewhere: ssh: Could not resolve"):
        place_at("elsewhere:/tmp").names()


def test_a_run_goes_on_elsewhere_from_its_mirror(
    tmp_path: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there, plain = tmp_path / "mirror", tmp_path / "plain"
    keeps = ["checkpoint.keep_last=2", "optim.horizon=6"]
    assert run(plain, text, sets=keeps) == 0
    mirrored = f"checkpoint.mirror={there}"
    assert run(tmp_path / "one", text, sets=[*keeps, "steps=4", "checkpoint.every=1", mirrored]) == 0
    assert FolderMirror(there / "one").names() == [
        checkpoint_name(3),
        checkpoint_name(4),
    ]  # let go there, too
    shutil.rmtree(tmp_path / "one")
    words = ["run", "--from-mirror", str(there / "one"), "--out", str(tmp_path / "two")]
    from trainer import cli

    assert cli.main([*words, "--set", "steps=6", "--data", str(text)]) == 0
    assert weights(tmp_path / "two", 6) == weights(plain, 6)
    assert "fetched from the mirror: step-00000004" in capsys.readouterr().out
    assert FolderMirror(there / "two").names()[-1] == checkpoint_name(6)
    assert [one.step for one in list_checkpoints(tmp_path / "two" / "checkpoints")][-1] == 6
    assert cli.main([*words[:2], str(tmp_path / "nothing"), *words[3:-1], str(tmp_path / "three")]) == 3
    assert not events(tmp_path / "three")
    assert threading.active_count() < 50


needs_s3 = pytest.mark.skipif(
    find_spec("s3fs") is None and not os.environ.get("CI"), reason="s3fs is not installed: make setup"
)


@pytest.fixture(name="store")
def store_fixture(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3StandIn]:
    """A store, and an environment that names it and its keys, as one has it where one trains."""
    from s3fs import S3FileSystem

    with serving() as store:
        names = {"ENDPOINT_URL": store.url, "ACCESS_KEY_ID": KEY, "SECRET_ACCESS_KEY": SECRET}
        for name, value in {
            **names,
            "DEFAULT_REGION": REGION,
            "MAX_ATTEMPTS": "1",
            "EC2_METADATA_DISABLED": "true",
        }.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        monkeypatch.setattr(S3FileSystem, "retries", 1)
        S3FileSystem.clear_instance_cache()
        yield store
        S3FileSystem.clear_instance_cache()


@needs_s3
def test_checkpoints_go_to_a_store_that_speaks_s3_manifest_last_and_come_back(
    tmp_path: Path, store: S3StandIn
) -> None:
    place, here, told = place_at("s3://bucket/runs", "demo"), RunDir(tmp_path / "here"), list[str]()
    assert place.names() == []
    for step in (9, 15, 100, 7):  # more than a page of the list
        place.put(make(tmp_path / "there", step))
    assert place.names() == [checkpoint_name(step) for step in (7, 9, 15, 100)]
    store.asked.clear()
    place.put(tmp_path / "there" / checkpoint_name(15))  # again, in its place
    changed = [
        (method, key.rpartition("/")[2]) for method, key, _ in store.asked if method in ("PUT", "DELETE")
    ]
    assert changed[0] == ("DELETE", "state.json")
    assert changed[-1] == ("PUT", "state.json")
    assert {("PUT", "model.safetensors"), ("PUT", "optimizer.safetensors")} <= set(changed)
    model = f"runs/demo/{checkpoint_name(100)}/model.safetensors"
    store.objects[model] = store.objects[model][:-1] + b"?"
    assert fetch_newest(place, here, told.append) == here.checkpoints / checkpoint_name(15)
    assert verify(here.checkpoints / checkpoint_name(15)).step == 15
    assert checkpoint_name(100) in told[0]
    place.remove(checkpoint_name(100))
    assert place.names()[-1] == checkpoint_name(15)
    assert not [key for key in store.objects if checkpoint_name(100) in key]


@needs_s3
def test_a_store_that_is_cut_off_or_refuses_lists_nothing_half_and_says_why(
    tmp_path: Path, store: S3StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    from s3fs import S3FileSystem

    place, folder = place_at("s3://bucket/runs", "demo"), tmp_path / "here"
    copier = MirrorCopier(place, folder)
    store.cut = "model.safetensors"
    make(folder, 1)
    copier.take(checkpoint_name(1))
    assert not copier.finish(60)
    assert [level for level, _ in copier.told()] == ["warning"]
    assert (place.names(), [key for key in store.objects if key.endswith("state.json")]) == ([], [])
    store.cut = ""
    make(folder, 2)
    copier.take(checkpoint_name(2))
    assert copier.finish(60)
    assert place.names() == [checkpoint_name(1), checkpoint_name(2)]
    for secret in ("another", ""):
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        S3FileSystem.clear_instance_cache()
        with pytest.raises(MirrorError, match=r"s3://bucket/runs/demo: .*AWS_SECRET_ACCESS_KEY"):
            fetch_newest(place_at("s3://bucket/runs", "demo"), RunDir(tmp_path / "nowhere"), print)


@needs_s3
def test_a_large_file_goes_to_a_store_in_parts_and_is_there_at_once(tmp_path: Path, store: S3StandIn) -> None:
    place, large = place_at("s3://bucket/runs", "demo"), make(tmp_path, 3)
    with (large / "model.safetensors").open("r+b") as file:
        file.truncate(101 << 20)
        file.seek((50 << 20) - 2)
        file.write(b"over the seam")
    place.put(large)
    wanted = hashlib.sha256((large / "model.safetensors").read_bytes()).digest()
    read = hashlib.sha256()
    for data in place.read(large.name, "model.safetensors"):
        read.update(data)
    assert read.digest() == wanted
    assert sum(method == "PUT" and key.endswith("model.safetensors") for method, key, _ in store.asked) > 1


@needs_s3
def test_a_run_goes_on_from_s3_in_the_bits_of_one_that_was_not_cut(
    tmp_path: Path, text: Path, store: S3StandIn
) -> None:
    from trainer import cli

    keeps = ["checkpoint.keep_last=2", "optim.horizon=6"]
    assert run(tmp_path / "plain", text, sets=keeps) == 0
    mirror = "checkpoint.mirror=s3://bucket/runs"
    assert run(tmp_path / "one", text, sets=[*keeps, "steps=4", "checkpoint.every=1", mirror]) == 0
    assert place_at("s3://bucket/runs/one").names() == [checkpoint_name(3), checkpoint_name(4)]
    shutil.rmtree(tmp_path / "one")
    words = ["run", "--from-mirror", "s3://bucket/runs/one", "--out", str(tmp_path / "two")]
    assert cli.main([*words, "--set", "steps=6", "--data", str(text)]) == 0
    assert weights(tmp_path / "two", 6) == weights(tmp_path / "plain", 6)
    assert place_at("s3://bucket/runs/two").names()[-1] == checkpoint_name(6)
