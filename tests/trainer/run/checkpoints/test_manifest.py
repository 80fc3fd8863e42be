import hashlib
import random
from pathlib import Path
from typing import Any

import pytest

from trainer.run.checkpoints.manifest import (
    MANIFEST,
    CheckpointInfo,
    Manifest,
    checkpoint_name,
    list_checkpoints,
    manifest_sha256,
    newest_valid,
    seal,
    verify,
)
from trainer.run.checkpoints.retention import Policy, retention_plan
from trainer.run.disk.atomic import write_json
from trainer.run.run_errors import CheckpointError


def make(folder: Path, step: int, **more: Any) -> Path:
    path = folder / checkpoint_name(step)
    path.mkdir(parents=True)
    files = {}
    for name in ("model.safetensors", "optimizer.safetensors"):
        data = f"{name} at {step} ".encode() * 40
        (path / name).write_bytes(data)
        files[name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    write_json(
        path / MANIFEST, seal({"step": step, "tokens": step * 8, "files": files, "rng": [1, 2, 3], **more})
    )
    return path


def test_whole_checkpoint_proves_itself(tmp_path: Path) -> None:
    path = make(
        tmp_path, 1000, metrics={"val_ce": 1.5, "R": {"value": 0.4, "direction": "max"}}, kind="final"
    )
    manifest = verify(path, manifest_sha256(path))
    assert (manifest.step, manifest.tokens, manifest.kind) == (1000, 8000, "final")
    assert manifest.metrics == {"val_ce": 1.5, "R": 0.4}
    assert manifest.raw["rng"] == [1, 2, 3]
    assert manifest.bytes == sum((path / name).stat().st_size for name in manifest.files)


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.safetensors", MANIFEST])
def test_any_flipped_bit_is_found(tmp_path: Path, name: str) -> None:
    """Every bit of the manifest's values and of the weights counts; only its blanks may change unseen."""
    path = make(tmp_path, 10)
    whole, announced = (path / name).read_bytes(), manifest_sha256(path)
    rng = random.Random(1)
    for _ in range(60):
        at, bit = rng.randrange(len(whole)), rng.randrange(8)
        (path / name).write_bytes(whole[:at] + bytes([whole[at] ^ (1 << bit)]) + whole[at + 1 :])
        with pytest.raises(CheckpointError):
            verify(path, announced)
    (path / name).write_bytes(whole)
    assert verify(path, announced).step == 10  # the control


def test_seal_finds_a_changed_value_without_knowing_the_manifest(tmp_path: Path) -> None:
    path = make(tmp_path, 10)
    text = (path / MANIFEST).read_text()
    (path / MANIFEST).write_text(text.replace('"tokens": 80', '"tokens": 81'))
    with pytest.raises(CheckpointError, match="seal"):
        verify(path)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda path: (path / "model.safetensors").unlink(), "cannot be read"),
        (lambda path: (path / "model.safetensors").write_bytes(b"short"), "torn"),
        (lambda path: (path / MANIFEST).unlink(), "no manifest"),
        (lambda path: (path / MANIFEST).write_text('{"step": 10'), "cannot be read"),
        (lambda path: (path / MANIFEST).write_text('{"step": 10}'), "malformed"),
        (lambda path: write_json(path / MANIFEST, {"step": 10, "files": {}}), "lists no file"),
        (lambda path: write_json(path / MANIFEST, {"step": 11, "files": {}}), "step 11"),
        (
            lambda path: write_json(
                path / MANIFEST, {"step": 10, "files": {"../x": {"bytes": 1, "sha256": "0"}}}
            ),
            "plain file name",
        ),
    ],
)
def test_damage_is_named(tmp_path: Path, damage: Any, why: str) -> None:
    path = make(tmp_path, 10)
    damage(path)
    with pytest.raises(CheckpointError, match=why):
        verify(path)


def test_listing_is_in_integer_order_and_skips_what_is_none(tmp_path: Path) -> None:
    for step in (100_000_000, 20, 99_999_999):
        make(tmp_path, step)
    (tmp_path / ".tmp-30").mkdir()
    (tmp_path / "step-abc").mkdir()
    (tmp_path / "step-00000040").write_text("a file")
    assert [info.step for info in list_checkpoints(tmp_path)] == [20, 99_999_999, 100_000_000]
    assert list_checkpoints(tmp_path / "none") == []


def test_newest_valid_passes_over_the_torn_and_says_so(tmp_path: Path) -> None:
    assert newest_valid(tmp_path) is None
    make(tmp_path, 10)
    (make(tmp_path, 20) / "model.safetensors").write_bytes(b"")
    heard: list[str] = []
    found = newest_valid(tmp_path, heard.append)
    assert found is not None
    assert found.step == 10
    assert len(heard) == 1
    assert "step-00000020" in heard[0]


def info(step: int, score: float | None = None, size: int = 100, readable: bool = True) -> CheckpointInfo:
    raw = {
        "step": step,
        "metrics": {} if score is None else {"val_ce": score},
        "files": {"m": {"bytes": size, "sha256": ""}},
    }
    manifest = Manifest.from_json(raw) if readable else None
    return CheckpointInfo(Path(checkpoint_name(step)), step, manifest)


def steps(names: tuple[str, ...]) -> list[int]:
    return [int(name.removeprefix("step-")) for name in names]


FOUND = [info(10, 3.0), info(20, 1.0), info(30, 2.0), info(40, 4.0), info(50, 5.0)]


def test_last_best_and_every_are_kept() -> None:
    plan = retention_plan(FOUND, Policy(keep_last=2, keep_best=1))
    assert steps(plan.keep) == [20, 40, 50]
    assert steps(plan.remove) == [10, 30]
    assert plan.why["step-00000020"] == "best"
    assert steps(retention_plan(FOUND, Policy(1, 0, 30)).keep) == [20, 30, 50]


@pytest.mark.parametrize("policy", [Policy(0, 0, 0, 1), Policy(1, 1, 0, 1), Policy(5, 5, 1, 1)])
def test_latest_best_pinned_and_used_are_never_removed(policy: Policy) -> None:
    plan = retention_plan(FOUND, policy, pins={"step-00000010"}, in_use={"step-00000030"})
    assert {10, 20, 30, 50} <= set(steps(plan.keep))
    assert 40 in steps(plan.remove)


def test_size_bound_gives_up_the_oldest_first() -> None:
    plan = retention_plan(FOUND, Policy(keep_last=5, max_bytes=300))
    assert steps(plan.keep) == [20, 40, 50]


def test_direction_decides_what_best_is() -> None:
    found = [
        CheckpointInfo(
            Path(checkpoint_name(step)),
            step,
            Manifest.from_json(
                {"step": step, "primary": "acc", "direction": "max", "metrics": {"acc": acc}, "files": {}}
            ),
        )
        for step, acc in ((1, 0.5), (2, 0.9), (3, 0.1))
    ]
    assert steps(retention_plan(found, Policy(keep_last=1)).keep) == [2, 3]


def test_unreadable_one_is_kept_as_evidence() -> None:
    plan = retention_plan([info(1, readable=False), *FOUND], Policy(1, 1))
    assert plan.why["step-00000001"] == "unreadable"


def test_nothing_to_keep_is_an_empty_plan() -> None:
    plan = retention_plan([], Policy())
    assert (plan.keep, plan.remove) == ((), ())
