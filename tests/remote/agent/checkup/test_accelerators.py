"""Accelerators that were not seen to train as the CPU does are named, with what would show it."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from remote.actions.diagnose import at
from remote.agent.checkup.accelerators import check, facts
from remote.agent.context import Context
from remote.hosts.host import Host
from remote.protocol.version import version
from trainer.run.device_report import DeviceReport, write_report
from trainer.run.home import open_home
from trainer.run.requirements import installed_version

GOOD = DeviceReport(
    device="cuda-0", is_good=True, torch=installed_version("torch"), version=version(), kinds=8, seconds=30
)


@pytest.fixture
def ctx(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    """A host with one accelerator, and an environment of its own."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    made = Context.of(open_home(home))
    made.devices = lambda: ["cpu", "cuda-0"]
    return made


def test_a_device_that_nobody_tried_is_a_note_with_the_command_that_does(ctx: Context) -> None:
    (found,) = check(ctx, False)
    assert (found.level, found.about) == ("note", "cuda-0")
    typed = at(Host(name="box", address="box"), found).remedy
    assert typed.startswith("photinus start --host box --device cuda-0 --queue --command -- ")
    assert typed.endswith("trainer selftest --keep --device cuda-0")
    assert facts(ctx.devices()) == {}


def test_one_that_trains_well_is_a_fact_until_torch_is_another(ctx: Context) -> None:
    write_report(GOOD)
    assert list(check(ctx, False)) == []
    assert facts(ctx.devices()) == {"selftest": GOOD.sentence}
    write_report(replace(GOOD, torch="2.11.0"))
    (found,) = check(ctx, False)
    assert "since (torch 2.11.0" in found.what
    assert facts(ctx.devices()) == {}


def test_one_that_trains_otherwise_is_a_problem_with_its_remedy(ctx: Context) -> None:
    write_report(replace(GOOD, is_good=False, wrong=("gpt: loss differs",), remedy="--set device=cpu"))
    (found,) = check(ctx, False)
    assert found.level == "problem"
    assert "gpt: loss differs" in found.what
    assert found.remedy == "--set device=cpu"
    write_report(replace(GOOD, is_good=False))
    assert "--again" in next(check(ctx, False)).remedy


def test_a_host_without_an_accelerator_hears_nothing(ctx: Context) -> None:
    ctx.devices = lambda: ["cpu"]
    assert list(check(ctx, False)) == []
