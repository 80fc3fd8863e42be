"""What the tables of the search for a functional R claim."""

from typing import Any

import pytest

from benchmarks.functional.table import table

PLAIN: dict[str, Any] = {"coupled": False}
SIGNED: dict[str, Any] = {"k_max": 4.0, "k_sign": "signed"}
LATCH: dict[str, Any] = {"dynamics": "mobius", "latch": 0.3}


def line(model: dict[str, Any], ce: float, right: float | None = None, past: str = "") -> dict[str, Any]:
    verdict = {"verdict": past} if past else None
    return {
        "task": "flip-flop",
        "model": model,
        "seed": 1,
        "steps": 400,
        "val_ce": ce,
        "bigram": 1.0,
        "trigram": 0.9,
        "entropy_rate": None,
        "R": 0.3,
        "accuracy": right,
        "far": None,
        "past": verdict,
    }


def test_nothing_and_half_a_pair_make_no_table() -> None:
    assert table([]) == "Nothing has been run yet."
    assert table([line({}, 0.7)]) == "Nothing has been run yet."


@pytest.mark.parametrize(
    ("coupled", "control", "plain", "enough", "functional"),
    [
        (0.70, 0.74, 0.72, "K signed, to 4 (flip-flop)", "K signed, to 4 (flip-flop)"),
        (0.70, 0.74, 0.69, "K signed, to 4 (flip-flop)", "none"),  # its control was worse than plain
        (0.70, 0.72, 0.72, "none", "none"),
    ],
)
def test_a_gain_counts_beside_the_plain_uncoupled_layout(
    coupled: float, control: float, plain: float, enough: str, functional: str
) -> None:
    # The control of a signed K is the plain uncoupled layout itself unless something else differs too.
    wide = {**SIGNED, "written": "R"}
    lines = [line(wide, coupled), line({"written": "R", **PLAIN}, control), line(PLAIN, plain)]
    said = table(lines).replace("written by R, ", "")
    assert f"at least 0.03: {enough};" in said
    assert f"layout: {functional}. Latches" in said


@pytest.mark.parametrize(
    ("past", "right", "found"),
    [
        ("latches", 0.95, "mobius, latch (flip-flop)"),
        ("forgets", 0.95, "none"),
        ("latches", 0.85, "none"),  # plain is better
    ],
)
def test_latching_counts_where_it_wins(past: str, right: float, found: str) -> None:
    control = {**LATCH, **PLAIN}
    lines = [line(LATCH, 0.7, right, past), line(control, 0.7, 0.8), line(PLAIN, 0.7, 0.9)]
    assert table(lines).endswith(f"than the plain uncoupled layout: {found}.")
