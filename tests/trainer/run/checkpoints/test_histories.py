"""Retention over random histories, damage at random places, and kills at random moments."""

import random
import shutil
import signal
import subprocess
import sys
import time
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.trainer.run.checkpoints.test_manifest import make
from tests.trials import trials
from trainer.run.checkpoints.manifest import (
    CheckpointInfo,
    FileProof,
    Manifest,
    best_valid,
    checkpoint_name,
    list_checkpoints,
    newest_valid,
    ranked,
    verify,
)
from trainer.run.checkpoints.pins import checkpoints_locked, pin, read_pins, unpin
from trainer.run.checkpoints.retention import Policy, RetentionPlan, retention_plan
from trainer.run.checkpoints.trash import bring_back, shrink_trash, trash_checkpoints, trashed_checkpoints
from trainer.run.layout import RunDir
from trainer.run.run_errors import CheckpointError

SIZE = 1000


def history(draw: random.Random, direction: str) -> list[CheckpointInfo]:
    """Checkpoints at growing steps; some scored, over 1e-3..10, beside a counter that only grows."""
    step, found = 0, []
    for _ in range(draw.randint(1, 12)):
        step += draw.choice((1, 6, 100, 9000))
        score = {"acc" if direction == "max" else "val_ce": 10 ** draw.uniform(-3, 1)}
        metrics = {"tokens": float(step * 8), "R": draw.random(), **(score if draw.random() < 0.6 else {})}
        manifest = Manifest(
            step=step, tokens=step * 8, metrics=metrics,
            primary="acc" if direction == "max" else "val_ce",
            direction="max" if direction == "max" else "min",
            files={"model": FileProof(draw.choice((SIZE, SIZE // 2)), "")},
        )  # fmt: skip
        name = checkpoint_name(step)
        found.append(CheckpointInfo(Path(name), step, None if draw.random() < 0.05 else manifest))
    return found


def broken_rules(
    found: list[CheckpointInfo], plan: RetentionPlan, policy: Policy, pins: set[str], in_use: set[str]
) -> list[str]:
    """Return which of the promises this plan breaks."""
    scored = [info for info in found if info.manifest and info.manifest.score is not None]
    best = min(
        scored, key=lambda info: ((info.manifest or Manifest(step=0)).score or 0.0, -info.step), default=None
    )
    kept = [info for info in found if info.name in plan.keep]
    size = sum(info.manifest.bytes for info in kept if info.manifest)
    forced = {found[-1].name, *pins, *in_use, *([best.name] if best else [])}
    spare = [info for info in kept if info.name not in forced and info.manifest]
    rules = {
        "each once": sorted((*plan.keep, *plan.remove)) == sorted(info.name for info in found),
        "latest": found[-1].name in plan.keep,
        "best": best is None or best.name in plan.keep,
        "pinned": pins & {info.name for info in found} <= set(plan.keep),
        "in use": in_use & {info.name for info in found} <= set(plan.keep),
        "size": not policy.max_bytes or size <= policy.max_bytes or not spare,
        "last": bool(policy.max_bytes)
        or {info.name for info in found[-policy.keep_last :]} <= set(plan.keep),
        "every": bool(policy.max_bytes)
        or not policy.keep_every
        or all(info.name in plan.keep for info in found if info.step % policy.keep_every == 0),
    }
    return [rule for rule, holds in rules.items() if not holds]


@pytest.mark.chaos
@pytest.mark.claim("retention keeps latest, best, pinned and used checkpoints over random histories")
def test_retention_keeps_its_promises_over_random_histories() -> None:
    draw = random.Random(15)
    for number in range(trials(400, 10_000)):
        found = history(draw, draw.choice(("min", "max")))
        names = [info.name for info in found]
        policy = Policy(
            draw.randint(1, 4), draw.randint(0, 3), draw.choice((0, 2, 100)), draw.choice((0, SIZE, 3 * SIZE))
        )
        pins, in_use = set(draw.sample(names, min(2, len(names)))), {draw.choice(names)}
        plan = retention_plan(found, policy, pins, in_use)
        assert broken_rules(found, plan, policy, pins, in_use) == [], number
        forgetful = retention_plan(found, policy)  # the control: without pins some are let go
        assert set(plan.keep) - set(forgetful.keep) <= pins | in_use or policy.max_bytes
    blind = [retention_plan(history(draw, "min"), Policy(1)) for _ in range(50)]
    assert any(plan.remove for plan in blind)


def test_the_rules_see_a_plan_that_breaks_them() -> None:
    found = history(random.Random(3), "min")
    names = [info.name for info in found]
    lost = RetentionPlan(tuple(names[:-1]), tuple(names[-1:]), {})
    assert "latest" in broken_rules(found, lost, Policy(), set(), set())
    assert "pinned" in broken_rules(found, lost, Policy(), {names[-1]}, set())


def test_quality_follows_the_primary_metric_over_its_range_and_no_counter() -> None:
    scores = [10 ** (-3 + 4 * number / 40) for number in range(41)]
    random.Random(1).shuffle(scores)
    rows = [
        (str(score), step, Manifest(step=step, metrics={"val_ce": score, "tokens": 1e9 - step}))
        for step, score in enumerate(scores)
    ]  # fmt: skip
    assert [float(name) for name in ranked(rows)] == sorted(scores)


def test_any_truncated_or_changed_byte_is_refused_and_the_one_before_is_used(tmp_path: Path) -> None:
    make(tmp_path, 9, metrics={"val_ce": 2.0})
    path = make(tmp_path, 15, metrics={"val_ce": 1.0})
    draw, refused = random.Random(7), 0
    best = best_valid(tmp_path)
    assert best is not None
    assert best.step == 15
    many = trials(60, 200)
    for _ in range(many):
        file = draw.choice(sorted(path.iterdir()))
        whole = file.read_bytes()
        at = draw.randrange(len(whole))
        broken = (
            whole[:at]
            if draw.random() < 0.3
            else whole[:at] + bytes([whole[at] ^ draw.randint(1, 255)]) + whole[at + 1 :]
        )
        file.write_bytes(broken)
        told: list[str] = []
        found = newest_valid(tmp_path, told.append)
        best = best_valid(tmp_path)
        refused += (
            found is not None and found.step == 9 and best is not None and best.step == 9 and len(told) == 1
        )
        file.write_bytes(whole)
    assert refused == many
    assert verify(path).step == 15


def test_a_blank_in_a_sealed_manifest_counts(tmp_path: Path) -> None:
    path = make(tmp_path, 3)
    whole = (path / "state.json").read_bytes()
    (path / "state.json").write_bytes(whole.replace(b": ", b":\t", 1))
    with pytest.raises(CheckpointError, match="was changed"):
        verify(path)


def test_epoch_15_comes_after_epoch_9_and_the_best_survives_a_restart(tmp_path: Path) -> None:
    for step, ce in ((9, 1.0), (15, 3.0), (100, 2.0)):
        make(tmp_path, step, metrics={"val_ce": ce})
    assert [info.step for info in list_checkpoints(tmp_path)] == [9, 15, 100]
    plan = retention_plan(list_checkpoints(tmp_path), Policy(keep_last=1, keep_best=0))
    assert plan.why == {checkpoint_name(9): "best", checkpoint_name(100): "latest"}


def test_what_is_let_go_comes_back_whole_and_the_trash_forgets(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "run").create()
    for step in (1, 2, 3, 4):
        make(run.checkpoints, step)
    trash_checkpoints(run, [checkpoint_name(1)], now=1000.0)
    trash_checkpoints(run, [checkpoint_name(2), checkpoint_name(3)], now=2000.0)
    assert [info.step for info in list_checkpoints(run.checkpoints)] == [4]
    assert bring_back(run) == [checkpoint_name(2), checkpoint_name(3)]
    assert verify(run.checkpoints / checkpoint_name(2)).step == 2
    with pytest.raises(CheckpointError, match="is not in the trash"):
        bring_back(run, [checkpoint_name(2)])
    make(run.checkpoints, 1)
    with pytest.raises(CheckpointError, match="already"):
        bring_back(run, [checkpoint_name(1)])
    assert shrink_trash(run, 10**9, now=1000.0 + 6 * 86400) == []
    assert shrink_trash(run, 10**9, now=1000.0 + 8 * 86400) == [checkpoint_name(1)]
    trash_checkpoints(run, [checkpoint_name(2), checkpoint_name(3)], now=time.time())
    half = trashed_checkpoints(run)[0].bytes
    assert len(shrink_trash(run, half)) == 1
    assert len(trashed_checkpoints(run)) == 1


KILLED = """
import random, sys
from pathlib import Path
from trainer.run.checkpoints.pins import checkpoints_locked, pin, unpin
from trainer.run.checkpoints.trash import bring_back, trash_checkpoints
from trainer.run.layout import RunDir
from trainer.run.checkpoints.manifest import list_checkpoints
run, draw = RunDir(Path(sys.argv[1])), random.Random(int(sys.argv[2]))
print("ready", flush=True)
while True:
    with checkpoints_locked(run):
        names = [info.name for info in list_checkpoints(run.checkpoints)]
        trash_checkpoints(run, draw.sample(names[:-1], 3))
    pin(run, names[-1])
    with checkpoints_locked(run):
        bring_back(run)
    unpin(run, names[-1])
"""


@pytest.mark.chaos
@pytest.mark.claim("a kill -9 while checkpoints are let go, brought back or pinned loses and tears none")
def test_kill_nine_at_random_moments_of_pruning_loses_no_checkpoint(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "run").create()
    for step in range(1, 9):
        make(run.checkpoints, step)
    draw = random.Random(5)
    for number in range(trials(4, 200)):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(run.path), str(number)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(draw.uniform(0, 0.05))  # the random moment: nothing is waited for
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        listed = [info.name for info in list_checkpoints(run.checkpoints)]
        lost = [one.name for one in trashed_checkpoints(run)]
        assert sorted((*listed, *lost)) == [checkpoint_name(step) for step in range(1, 9)]
        assert all(verify(run.checkpoints / name) for name in listed)
        assert set(read_pins(run)) <= {checkpoint_name(8)}
        newest = newest_valid(run.checkpoints)
        assert newest is not None
        assert newest.step == 8
        with checkpoints_locked(run):
            bring_back(run, lost)
    shutil.rmtree(run.path)


def pin_and_let_go(path: str, mine: list[str]) -> None:
    """Pin every second of some checkpoints, one lock at a time; unpin the others."""
    run = RunDir(Path(path))
    for name in mine:
        pin(run, name)
    for name in mine[1::2]:
        unpin(run, name)


def test_two_processes_that_pin_lose_no_pin(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "run").create()
    names = [make(run.checkpoints, step).name for step in range(trials(12, 200))]
    context = get_context("spawn")
    workers = [context.Process(target=pin_and_let_go, args=(str(run.path), names[k::2])) for k in (0, 1)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert set(read_pins(run)) == {*names[0::2][0::2], *names[1::2][0::2]}


def test_pins_that_cannot_be_read_are_no_licence_to_remove(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "run").create()
    make(run.checkpoints, 1)
    (run.path / "pins.json").write_text("[")
    with pytest.raises(CheckpointError, match=r"pins\.json cannot be read"):
        read_pins(run)


SAVING = """
import os, random, signal, sys, time
from pathlib import Path
import torch
from tests.remote.transfer.test_at_once import KEEPS, save
from trainer.checkpoints.draft import remove_drafts
from trainer.checkpoints.retain import prune
from trainer.mirror.mirror_places import FolderMirror
from trainer.run.checkpoints.manifest import checkpoint_name, list_checkpoints, newest_valid, verify
from trainer.run.layout import RunDir
run, draw = RunDir(Path(sys.argv[1])).create(), random.Random(sys.argv[2])
mirror, cut, least = FolderMirror(run.path / "mirror"), 0, 0
for number in range(int(sys.argv[3])):
    remove_drafts(run.checkpoints)
    step = newest_valid(run.checkpoints).step if list_checkpoints(run.checkpoints) else 0
    assert step >= least, (step, least)  # what was there is there
    if not (child := os.fork()):
        while True:
            step += 1
            save(run.checkpoints, step)
            prune(run.checkpoints, KEEPS)
            mirror.put(run.checkpoints / checkpoint_name(step))
    time.sleep(draw.uniform(0.0005, 0.03))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    cut += bool(list(run.checkpoints.glob(".tmp-*")) or list(mirror.folder.glob(".tmp-*")))
    listed = list_checkpoints(run.checkpoints)
    assert all(verify(one.path) for one in listed)
    assert all(verify(mirror.folder / name) for name in mirror.names())
    least = listed[-1].step if listed else 0
print(cut)
"""


@pytest.mark.chaos
@pytest.mark.claim(
    "a kill -9 at random moments of saving, pruning and mirroring: the newest valid one always loads"
)
@pytest.mark.skipif(trials(0, 1) == 0, reason="a process that imports torch: `make chaos` runs it")
def test_kill_nine_while_saving_leaves_nothing_half_written_in_the_list(tmp_path: Path) -> None:
    many = trials(20, 200)
    done = subprocess.run(
        [sys.executable, "-c", SAVING, tmp_path / "run", "15", str(many)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) > many // 10  # so many were in the middle of something
