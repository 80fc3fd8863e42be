"""The verb `checkpoints`, and a client that believes none of its names before it has looked at them."""

import hashlib
import json
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from msgspec.structs import replace

from remote.agent.context import Context
from remote.agent.runs.checkpoints import checkpoints
from remote.hosts.host import LOCAL
from remote.protocol.arguments import CheckpointsArgs
from remote.protocol.errors import CallError
from remote.protocol.messages import LINE_LIMIT, encode
from remote.protocol.values import read_as
from remote.protocol.verbs import Verb
from remote.session.session import Session
from remote.transfer.catalog import read_catalog
from remote.transfer.pull import pull
from tests.remote.calling import call
from tests.remote.transfer.saved import RUN_ID, make_run, save
from trainer.run.checkpoints.manifest import MANIFEST
from trainer.run.home import open_home

R = TypeVar("R")


def test_every_checkpoint_is_told_with_its_files_and_marks(session: Session, home: Path) -> None:
    run = make_run(home)
    save(run, 100, {"model.safetensors": b"one"}, 2.0, parent="old-abcdef/step-00000050")
    save(run, 200, {"model.safetensors": b"two", "optimizer.safetensors": b"three"}, 1.0)
    save(run, 300, {"model.safetensors": b"four"}, 3.0, kind="final")
    (save(run, 400, {"model.safetensors": b"five"}) / MANIFEST).write_text("{torn")
    (run.checkpoints / ".tmp-step-00000500-1").mkdir()
    (run.checkpoints / "step-00000600").symlink_to(run.checkpoints / "step-00000300")
    catalog = read_catalog(session, RUN_ID)
    assert catalog.folder == str(run.checkpoints)
    rows = {one.step: one for one in catalog.checkpoints}
    assert list(rows) == [400, 300, 200, 100]
    assert "cannot be read" in rows[400].why
    assert [one.step for one in catalog.checkpoints if one.is_latest] == [300]
    assert [one.step for one in catalog.checkpoints if one.is_best] == [200]
    assert (rows[200].bytes, list(rows[200].files)) == (8, ["model.safetensors", "optimizer.safetensors"])
    assert (rows[100].parent, rows[300].kind, rows[300].metrics) == (
        "old-abcdef/step-00000050", "final", {"val_ce": 3.0},
    )  # fmt: skip
    assert rows[100].manifest_bytes == (run.checkpoints / "step-00000100" / MANIFEST).stat().st_size


def test_a_list_without_end_is_given_up_after_its_pages(
    session: Session, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remote.transfer.catalog.PAGES_MAX", 3)
    run = make_run(home)
    for step in range(1, 5):
        save(run, step, {})
    real, asked = session.call, list[object]()

    def one_a_page(verb: Verb[Any, R], args: Any, timeout: float = 30.0) -> R:
        asked.append(args)
        answer: Any = real(verb, args, timeout)
        return cast(R, replace(answer, checkpoints=answer.checkpoints[:1], left_out=9))

    monkeypatch.setattr(session, "call", one_a_page)
    with pytest.raises(CallError, match="without end"):
        read_catalog(session, RUN_ID)
    assert len(asked) == 3


def test_more_than_a_line_holds_comes_in_pages(session: Session, home: Path) -> None:
    run = make_run(home)
    steps = {**dict.fromkeys(range(1, 8), 1000), 9: 3000}
    for step, count in steps.items():
        path = save(run, step, {})
        proof = {"bytes": 0, "sha256": "a" * 64}
        files = {f"shard-{i:05d}-{'x' * 90}.safetensors": proof for i in range(count)}
        (path / MANIFEST).write_text(json.dumps({"step": step, "files": files}))
    answer = call(session, "checkpoints", {"run_id": RUN_ID})
    assert 0 < answer["left_out"] < 7
    assert len(encode(answer)) < LINE_LIMIT
    catalog = read_catalog(session, RUN_ID)
    assert [one.step for one in catalog.checkpoints] == [9, 7, 6, 5, 4, 3, 2, 1]
    assert "more files" in catalog.checkpoints[0].why
    assert len(catalog.checkpoints[-1].files) == 1000


def test_the_agent_serves_others_between_two_manifests(home: Path) -> None:
    run = make_run(home)
    for step in range(300):
        save(run, step, {"model.safetensors": b""}, note="x" * 20_000)
    work = checkpoints(Context.of(open_home(home)), CheckpointsArgs(run_id=RUN_ID))
    assert sum(1 for _ in work) > 1


def row(**more: Any) -> dict[str, Any]:
    sha256 = "a" * 64
    files = [{"name": "model.safetensors", "bytes": 3, "sha256": sha256}]
    return {
        "name": "step-00000001", "readable": True, "latest": True, "best": False, "sha256": sha256,
        "manifest_bytes": 10, "kind": "periodic", "parent": "", "primary": "val_ce", "at": 1.0,
        "files": files, "metrics": {}, **more,
    }  # fmt: skip


def named(name: object, **more: object) -> dict[str, Any]:
    return row(files=[{"name": name, "bytes": 3, "sha256": "a" * 64, **more}])


class Lying(Session):
    """A session whose host answers `checkpoints` as it likes."""

    def __init__(self, *rows: object, **answer: object) -> None:
        super().__init__(LOCAL)
        self._answer = {"run_id": RUN_ID, "dir": "/x", "checkpoints": list(rows), "left_out": 0, **answer}

    def call(self, verb: Verb[Any, R], args: object, timeout: float = 0.0) -> R:
        assert verb.name == "checkpoints"
        return read_as(verb.result, json.loads(json.dumps(self._answer)))


HOSTILE = [
    row(name="../../etc"),
    row(name="step-00000001/../x"),
    row(name="step-" + "1" * 400),
    row(name="step-٠٠٠٠٠٠٠١"),
    row(name=None),
    named("../model"),
    named("/etc/passwd"),
    named(".ssh"),
    named("a/b"),
    named("a\\b\0"),
    named("a\n"),
    named("state.json"),
    named("STATE.JSON"),
    named("model.safetensors.part"),
    named("x" * 200),
    named(""),
    named(7),
    named("model", bytes=-1),
    named("model", bytes=1 << 60),
    named("model", bytes=True),
    named("model", sha256="A" * 64),
    named("model", sha256="../" + "a" * 61),
    row(files=[{"name": name, "bytes": 1, "sha256": "a" * 64} for name in ("Model", "model")]),
    row(files=[{"name": "m", "bytes": 1, "sha256": "a" * 64}] * 2),
    row(files="model"),
    row(files=["model"]),
    row(manifest_bytes=1 << 40),
    row(sha256="x"),
    row(at="now"),
    "a row",
    None,
]


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_row_is_refused_and_nothing_is_written(hostile: object, tmp_path: Path) -> None:
    with pytest.raises(CallError) as error:
        pull(Lying(hostile), RUN_ID, to=tmp_path / "to")
    assert error.value.code == "refused"
    assert not (tmp_path / "to").exists()


def test_a_hostile_answer_is_refused(tmp_path: Path) -> None:
    for lying in (
        Lying(row(), dir="relative"),
        Lying(row(), row()),
        Lying(row(), left_out=1),  # the same page for ever
        Lying(checkpoints="none"),
        Lying(row(), left_out="many"),
    ):
        with pytest.raises(CallError) as error:
            read_catalog(lying, RUN_ID)
        assert error.value.code == "refused"
    for name in ("../x", "demo", "DEMO-abcdef", ""):
        with pytest.raises(CallError):
            pull(Lying(row()), name, to=tmp_path)


def test_a_manifest_that_names_other_files_than_were_listed_is_refused(home: Path, tmp_path: Path) -> None:
    """The manifest is what is written and believed later: its names must be those that were checked."""
    run = make_run(home)
    path = save(run, 1, {"model.safetensors": b"abc"})
    manifest = json.loads((path / MANIFEST).read_text())
    manifest["files"]["../evil"] = {"bytes": 3, "sha256": "a" * 64}
    del manifest["seal"]
    (path / MANIFEST).write_text(json.dumps(manifest))
    data = (path / MANIFEST).read_bytes()
    lying = Lying(
        row(sha256=hashlib.sha256(data).hexdigest(), manifest_bytes=len(data)), dir=str(run.checkpoints)
    )
    with pytest.raises(CallError, match="otherwise than its manifest"):
        pull(lying, RUN_ID, to=tmp_path / "to")
    assert not list((tmp_path / "to").rglob("evil*"))
