"""The table against the published lines (their values, our formatter): the bytes must be the same.

Older builds printed GradNorm one column narrower; ours is the last published form.
"""

import math

import pytest

from trainer.telemetry import table


def row(step: int, total: float, ce: float, reg: float, R: float, u: float, grad: float) -> str:
    values = {"total": total, "ce": ce, "reg": reg, "R": R, "u_val": u, "grad_norm": grad}
    return table.row(step, values)


FIRST = "    20 |  56.769 |  56.660 |  0.1086 | 0.0566 |   0.878 |   16.009"
LATER = "   420 |   3.562 |   2.915 |  0.6477 | 0.0471 |   1.043 |    1.334"
PUBLISHED = [
    (FIRST, (20, 56.769, 56.66, 0.1086, 0.0566, 0.878, 16.009)),
    (LATER, (420, 3.562, 2.915, 0.6477, 0.0471, 1.043, 1.334)),
]


@pytest.mark.parametrize(("line", "values"), PUBLISHED)
def test_row_is_the_published_line(
    line: str, values: tuple[int, float, float, float, float, float, float]
) -> None:
    assert row(*values) == line


def test_header_and_rule_are_the_published_ones() -> None:
    assert table.header() == ["  Step |   Total |      CE |     Reg |       R |   u_val | GradNorm", "-" * 80]


def test_what_a_model_does_not_have_stands_as_nan() -> None:
    line = table.row(5, {"total": 1.0, "ce": 1.0})
    assert [part.strip() for part in line.split("|")] == ["5", "1.000", "1.000", "nan", "nan", "nan", "nan"]


def test_evaluation_block_has_the_published_lines() -> None:
    scores = {"val_loss": 5.8126, "val_ce": 5.4066, "val_ppl": 222.87, "val_R": 0.0539, "val_u": 0.3606}
    assert table.eval_head(100, scores, best=False, saves=False) == [
        "",
        "=" * 80,
        "EVALUATION @ Step 100",
        "=" * 80,
        "  Val Loss: 5.8126",
        "  Val CE: 5.4066",
        "  Val Perplexity: 222.87",
        "  Val R: 0.0539",
        "  Val u_val: 0.3606",
    ]


def test_sample_stays_on_its_line_and_drives_no_terminal() -> None:
    lines = table.eval_sample("a\nb\x1b[2Jc\\", 0.0456)
    assert lines[2] == "    Text: a\\nb\\x1b[2Jc\\\\..."
    assert lines[3] == "    R: 0.0456"


def test_long_sample_is_cut_at_150_characters() -> None:
    assert table.eval_sample("x" * 400, math.nan)[2] == "    Text: " + "x" * 150 + "..."


def test_checkpoint_and_resume_lines_are_the_published_ones() -> None:
    assert table.checkpoint(400, "d/checkpoint_400.pt") == [
        "💾 Checkpoint @ Step 400",
        "  Checkpoint saved: d/checkpoint_400.pt",
    ]
    assert table.resumed(400, "run_v3/checkpoint_400.pt") == [
        "  Loading checkpoint: run_v3/checkpoint_400.pt",
        "  Resumed from step 400 (full state)",
    ]
