"""What torch.compile keeps is loaded again as code: only from a folder that is this user's alone."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from trainer.device.device import Device
from trainer.step.compile import CACHE_VARIABLE, compile_step
from trainer.step.precision import FLOAT32

TOKENS = torch.zeros(1, 2, dtype=torch.long)


@pytest.mark.parametrize("mode", [0o777, 0o700])
def test_a_cache_that_others_may_write_is_not_compiled_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    cache.chmod(mode)
    compiled: list[object] = []
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setenv(CACHE_VARIABLE, "")
    monkeypatch.delenv(CACHE_VARIABLE)
    monkeypatch.setattr("trainer.step.compile.shutil.which", lambda _: "/usr/bin/cc")
    monkeypatch.setattr("trainer.step.compile.native.hide_from_compiler", lambda: None)
    monkeypatch.setattr("trainer.step.compile.torch.compile", lambda loss, **_: compiled.append(loss))
    model = SimpleNamespace(loss=None, zero_grad=lambda **_: None)
    found = compile_step(model, Device(torch.device("cpu"), 1), FLOAT32, TOKENS, TOKENS)  # type: ignore[arg-type]
    assert found.loss is None, "there is nothing to compile here"
    assert bool(compiled) == (mode == 0o700), "the control: in a private one it is asked"
    assert ("chmod go-w" in found.message) == (mode == 0o777), found.message
    assert os.environ[CACHE_VARIABLE].startswith(str(cache))
