"""A made table goes between its marks, and nowhere else."""

from pathlib import Path

import pytest

from benchmarks.pages import put, replaced
from benchmarks.speed_table import table

BEGIN, END = "<!-- speed:begin -->", "<!-- speed:end -->"


def test_only_what_lies_between_the_marks_changes(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    put(page, "speed", "new")
    once = page.read_text()
    assert once == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    put(page, "speed", "new")
    assert page.read_text() == once


@pytest.mark.parametrize("text", ["none", f"{BEGIN} only", f"{END} before {BEGIN}", "<!-- other:begin -->"])
def test_a_page_without_both_marks_is_refused(text: str) -> None:
    with pytest.raises(SystemExit, match=r"speed:begin .* and .*speed:end"):
        replaced(text, "speed", "new")


def test_speeds_stand_beside_the_same_mode_and_the_best_beside_the_best() -> None:
    where = {"size": "tiny", "tokens": 512, "batch": 4}
    speeds = {
        ("gpt", "eager fp32"): 1000,
        ("gpt", "compiled fp32"): 2000,
        **{(name, "eager fp32"): 3000 for name in ("kssm-v3", "kssm-v3 uncoupled", "gated")},
        **{(name, "compiled fp32"): 1000 for name in ("kssm-v3", "kssm-v3 uncoupled", "gated")},
        **{(name, "torch kernels fp32"): 500 for name in ("kssm-v3", "kssm-v3 uncoupled", "gated")},
    }
    cells = [
        {"model": name, **where, "mode": mode, "tokens_per_s": one} for (name, mode), one in speeds.items()
    ]
    eager, compiled, torch_forms, best = table(cells).splitlines()[2:]
    assert eager == "| tiny | 4 x 512 | eager fp32 | 1,000 | 3.00 | 3.00 | 3.00 |"
    assert compiled == "| tiny | 4 x 512 | compiled fp32 | 2,000 | 0.50 | 0.50 | 0.50 |"
    assert "(as eager fp32) | 0.50" in torch_forms
    assert "2,000 (compiled fp32) | **1.50** (eager fp32)" in best
