"""Schedule, clock, threads, meter: functions of their inputs."""

import math
from pathlib import Path

import pytest
import torch

from trainer.config.schema import OptimConfig
from trainer.job.environment import granted_threads
from trainer.loop.timing import Accounting
from trainer.step.lr_schedule import schedule_for
from trainer.step.metrics import StepMeter


def test_rate_warms_up_then_falls_to_its_floor_and_stays() -> None:
    schedule = schedule_for(OptimConfig(lr=1.0, min_lr_ratio=0.1, warmup=10), steps=110)
    assert schedule.rate(0) == pytest.approx(0.1)
    assert schedule.rate(9) == schedule.rate(10) == pytest.approx(1.0)
    assert schedule.rate(60) == pytest.approx(0.55)
    assert schedule.rate(110) == schedule.rate(10_000) == pytest.approx(0.1)
    falling = [schedule.rate(step) for step in range(10, 111)]
    assert falling == sorted(falling, reverse=True)


def test_stored_horizon_outlives_a_changed_number_of_steps() -> None:
    assert schedule_for(OptimConfig(), steps=500, stored_horizon=100).horizon == 100
    assert schedule_for(OptimConfig(), steps=500).horizon == 500
    assert schedule_for(OptimConfig(horizon=300), steps=500, stored_horizon=100).horizon == 300


def test_time_outside_of_steps_is_accounted_and_kept_out_of_the_pace() -> None:
    now = [0.0]
    clock = Accounting(lambda: now[0])
    for _ in range(4):
        now[0] += 0.5
        clock.step(tokens=100)
    with clock.outside("eval"):
        now[0] += 2.0
    pace = clock.pace(remaining=10)
    assert pace.step_ms == pytest.approx(500)
    assert pace.tokens_per_s == pytest.approx(200)
    assert pace.overhead == pytest.approx(0.5)
    assert pace.eta_s == pytest.approx(10)  # ten steps of half a second, as much again outside
    assert clock.shares() == {"eval": pytest.approx(0.5)}


def files(root: Path, contents: dict[str, str]) -> Path:
    for name, text in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_threads_follow_the_smallest_quota_on_the_way_up(tmp_path: Path) -> None:
    root = files(
        tmp_path,
        {
            "proc/self/cgroup": "0::/pod/box\n",
            "sys/fs/cgroup/pod/box/cpu.max": "max 100000\n",
            "sys/fs/cgroup/pod/cpu.max": "100000 100000\n",
        },
    )
    assert granted_threads(root) == 1


def test_threads_follow_a_version_1_quota(tmp_path: Path) -> None:
    folder = "sys/fs/cgroup/cpu,cpuacct/box"
    root = files(
        tmp_path,
        {
            "proc/self/cgroup": "4:memory:/box\n3:cpu,cpuacct:/box\n",
            f"{folder}/cpu.cfs_quota_us": "50000\n",
            f"{folder}/cpu.cfs_period_us": "100000\n",
        },
    )
    assert granted_threads(root) == 1


def test_threads_without_a_quota_are_the_cores(tmp_path: Path) -> None:
    assert granted_threads(tmp_path) == granted_threads(files(tmp_path / "x", {"proc/self/cgroup": "0::/\n"}))
    assert granted_threads(tmp_path) >= 1


def test_meter_gives_means_of_the_window_and_the_largest_norm() -> None:
    meter = StepMeter(frozenset({"total", "ce", "reg"}))
    for ce, norm in ((1.0, 5.0), (3.0, 2.0)):
        meter.add(torch.tensor([ce + 1, ce, 1.0, *[math.nan] * 5]), torch.tensor(norm))
    assert meter.read() == {"total": 3.0, "ce": 2.0, "reg": 1.0, "grad_norm": 2.0, "grad_norm_max": 5.0}
    with pytest.raises(ValueError, match="no step"):
        meter.read()
