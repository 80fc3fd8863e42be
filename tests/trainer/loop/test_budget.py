"""What a run will need, before it begins."""

import json
from typing import Any

import pytest
import torch

from tests.trainer.loop.tiny import TINY
from trainer import cli
from trainer.commands.plan import size_of
from trainer.config.config_error import ConfigError
from trainer.config.resolve import resolve
from trainer.device.device import open_device
from trainer.loop.checks.budget import budget
from trainer.loop.setup import build_state

DEVICE = open_device("cpu", 1)


def planned(*sets: str, limit: int = 0) -> Any:
    config = resolve("kssm-v3-tiny", overrides=[*TINY, "kernels=torch", *sets]).config
    return budget(config, DEVICE, 64, limit), config


def test_parts_are_those_of_the_model_and_its_optimizer() -> None:
    found, config = planned()
    count = build_state(config, DEVICE, 64, 0).model.parameter_count()
    assert found.parameters == count
    assert found.memory["weights"] == found.memory["gradients"] == 4 * count
    assert 8 * count < found.memory["moments"] < 8 * count + 1024  # and a number of steps a parameter
    assert planned("optim.ema=0.9")[0].memory["averaged weights"] == 4 * count
    assert planned("optim.name=muon")[0].memory["moments"] < found.memory["moments"]
    assert found.total_s == pytest.approx(config.steps * found.step_s)


def test_what_a_pass_keeps_grows_with_the_micro_batch_and_shrinks_when_blocks_are_recomputed() -> None:
    part = "kept for the backward pass"
    layers = ("model.layers=4",)
    whole, half = (planned(*layers, f"micro_batch={rows}")[0].memory[part] for rows in (4, 2))
    assert whole == 2 * half > 0
    assert planned(*layers, "recompute=true")[0].memory[part] < 0.5 * whole


def test_the_micro_batch_that_fits_is_named() -> None:
    found, _ = planned()
    assert found.fits is None
    kept = found.memory["kept for the backward pass"]
    assert planned(limit=found.bytes)[0].fits == 4
    assert planned(limit=found.bytes - kept // 2)[0].fits == 2
    assert planned(limit=found.bytes - kept)[0].fits == 0


def test_the_command_prints_a_plan_and_refuses_what_is_no_size(capsys: pytest.CaptureFixture[str]) -> None:
    threads = torch.get_num_threads()
    words = ["plan", "--preset", "kssm-v3-tiny", *(word for one in TINY for word in ("--set", one))]
    try:
        assert cli.main([*words, "--device", "cpu", "--device-memory", "24G", "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["limit"], told["fits"], told["bytes"] > 0) == (24 << 30, 4, True)
        assert cli.main([*words, "--device", "cpu", "--device-memory", "1K"]) == 0
        assert "does not fit into 0.0 MiB: lower context" in capsys.readouterr().out
        assert cli.main([*words, "--device-memory", "plenty"]) == 2
        assert "write it as 24G" in capsys.readouterr().err
    finally:
        torch.set_num_threads(threads)


def test_sizes_are_read_as_people_write_them() -> None:
    assert [size_of(text) for text in ("24G", "1.5GiB", "16384M", "100")] == [24 << 30, 3 << 29, 1 << 34, 100]
    with pytest.raises(ConfigError):
        size_of("0G")
