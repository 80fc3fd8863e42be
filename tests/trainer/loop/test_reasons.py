"""Why a run ended is one short text, and a compiler that fails is no reason."""

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.trainer.device.strict import strict_device
from tests.trainer.loop.tiny import events, last_word, run
from trainer.device.operators import Fallbacks, missing_operator
from trainer.job.reason import LONGEST, bounded, reason_of, trace_of
from trainer.loop.timing import Accounting
from trainer.models import LanguageModel
from trainer.step.compile import Compiled, is_compiler_failure

OUTPUT = "x.cpp:1: error: no such thing\n" + "warning: much is said\n" * 12_000


def compiler_error(source: str, output: str) -> Exception:
    """What torch raises where g++ fails; its compiler is loaded here, not by every worker that collects."""
    from torch._inductor.exc import CppCompileError

    error: Exception = CppCompileError(["g++", source], output)
    return error


def test_a_compiler_that_fails_in_a_later_step_does_not_end_the_run(
    tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def compile_step(model: LanguageModel[Any], *_: object) -> Compiled:
        def loss(tokens: torch.Tensor, targets: torch.Tensor) -> Any:
            calls.append(len(tokens))
            if len(tokens) < 3:  # the uneven last part of a batch is a further shape
                raise compiler_error("x.cpp", OUTPUT)
            return model.loss(tokens, targets)

        return Compiled(loss, "compiled in 0 s")

    monkeypatch.setattr("trainer.loop.setup.compile_step", compile_step)
    out = tmp_path / "run"
    assert run(out, text, sets=("compile=on", "micro_batch=3", "steps=2")) == 0
    assert calls == [3, 1]
    (said,) = [row["message"] for row in events(out, "note") if "without it" in row["message"]]
    assert said.startswith("torch.compile failed, the run goes on without it: CppCompileError: ")
    assert len(said) < 600


def test_only_what_the_compiler_says_is_taken_for_its_failure() -> None:
    assert is_compiler_failure(compiler_error("x.cpp", "x"))
    assert not is_compiler_failure(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


def test_a_reason_has_a_length(
    tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def failing(*_: object) -> None:
        raise RuntimeError(OUTPUT)

    monkeypatch.setattr(LanguageModel, "loss", failing)
    out = tmp_path / "run"
    assert run(out, text) == 1
    assert last_word(out)["reason"] == "RuntimeError: x.cpp:1: error: no such thing"
    assert (out / "exit.json").stat().st_size < 4096
    assert (out / "events.jsonl").stat().st_size < 65536
    said = capfd.readouterr().err
    assert "Traceback" in said
    assert len(said) < 65536


def test_what_is_cut_is_said() -> None:
    assert bounded("short") == "short"
    assert len(bounded("x" * 300_000)) < LONGEST + 60
    assert bounded("x" * 300_000).endswith("(298,000 characters left out)")
    assert reason_of(ValueError("")) == "ValueError: "
    assert len(reason_of(ValueError("y" * 300_000))) < 600
    assert len(trace_of(ValueError(OUTPUT))) < 30_000


def test_an_operator_that_mps_lacks_is_a_sentence_with_its_remedy(tmp_path: Path, text: Path) -> None:
    out = tmp_path / "run"
    with strict_device("mps") as rules:
        rules.missing = frozenset({"aten::embedding"})
        assert run(out, text, sets=("device=mps", "model.kind=gpt")) == 1
    reason = last_word(out)["reason"]
    assert "aten::embedding" in reason
    assert "PYTORCH_ENABLE_MPS_FALLBACK=1" in reason
    assert not missing_operator(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


def test_operators_that_fell_back_to_the_cpu_are_counted_and_told(
    tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoken = "The operator 'aten::{}' is not currently supported on the MPS backend and will fall back"
    real, names = LanguageModel.loss, iter(["sort", "sort", "cummax"])

    def warning(self: Any, *given: torch.Tensor) -> Any:
        if name := next(names, ""):
            warnings.warn(spoken.format(name), UserWarning, stacklevel=1)
        return real(self, *given)

    monkeypatch.setattr(LanguageModel, "loss", warning)
    out = tmp_path / "run"
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert run(out, text, sets=("log.every=1", "steps=4")) == 0
    told = [row["message"] for row in events(out, "note") if "MPS lacks" in row["message"]]
    assert [line.split(":")[2] for line in told] == ["sort", "cummax"]
    assert "2 operators in all" in told[1]
    assert not Fallbacks().hear("something else is deprecated")


def test_memory_is_the_peak_of_the_window(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: Path
) -> None:
    in_use = iter([*[100.0, 900.0] * 50])
    with strict_device("mps"):
        monkeypatch.setattr(torch.mps, "current_allocated_memory", lambda: int(next(in_use)))
        assert run(tmp_path / "run", text, sets=("device=mps", "model.kind=gpt", "micro_batch=2")) == 0
    assert {row["memory_bytes"] for row in events(tmp_path / "run", "metrics")} == {900.0}
    with strict_device("cuda"):
        assert run(tmp_path / "cuda", text, sets=("device=cuda", "model.kind=gpt")) == 0
    assert {row["memory_bytes"] for row in events(tmp_path / "cuda", "metrics")} == {float(1 << 21)}


def test_values_that_do_not_fit_together_are_said_before_the_first_step(tmp_path: Path, text: Path) -> None:
    sets = ("optim.warmup=50", "eval.tokens=999999", "checkpoint.every=100", "eval.every=50")
    assert run(tmp_path / "run", text, sets=sets) == 0
    told = events(tmp_path / "run")
    first = next(at for at, row in enumerate(told) if row["type"] == "metrics")
    said = [row["message"] for row in told[:first] if row["type"] == "note"]
    for words in ("optim.warmup=50", "eval.tokens=999999", "checkpoint.every=100", "eval.every=50"):
        assert any(line.startswith(words) for line in said), words
    assert run(tmp_path / "fits", text) == 0
    assert not events(tmp_path / "fits", "note")


def test_time_of_queued_steps_is_theirs() -> None:
    now = [0.0]

    def synchronize() -> None:
        now[0] += 5.0  # what was queued is done only now

    clock = Accounting(lambda: now[0], synchronize)
    clock.step(10)
    with clock.outside("eval"):
        now[0] += 1.0
    assert clock.pace(1).step_ms == pytest.approx(5000)
    assert clock.shares()["eval"] == pytest.approx(1 / 6)
