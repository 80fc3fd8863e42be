"""The verdicts, on rows that hold and on rows that must not."""

import json
import math
from typing import Any

import numpy as np
import pytest

from trainer.reproduce.ablation import CONSTANT, constant_claim, difference_claim, published_arithmetic
from trainer.reproduce.claims import Claim, ReproductionReport, Table, lines, without_verdicts
from trainer.reproduce.v3 import layer_claim, learning_claim, published_claim, still_claim

Row = dict[str, Any]


def rows(*pairs: tuple[float, float]) -> list[Row]:
    """One layer, of (R, predicted)."""
    return [
        {"step": 1000 * (index + 1), "R": [R], "predicted": [predicted]}
        for index, (R, predicted) in enumerate(pairs)
    ]


CLIMB = [(0.02, 0.03), (0.11, 0.112), (0.2, 0.203), (0.26, 0.26), (0.3, 0.295), (0.32, 0.325)]


def test_R_follows_the_prediction_where_it_is_clear_of_its_floor() -> None:
    assert layer_claim(rows(*CLIMB), 0).holds  # the first point is off by a third, and below 0.1


@pytest.mark.parametrize(
    "spoilt",
    [
        [*CLIMB[:5], (0.32, 0.36)],  # one point is 11 % off
        CLIMB[:5],  # four clear points are too few
        [(0.02, 0.02)] * 6,  # never climbs
    ],
)
def test_R_that_departs_or_never_climbs_fails(spoilt: list[tuple[float, float]]) -> None:
    assert layer_claim(rows(*spoilt), 0).holds is False


def test_a_control_that_climbs_too_fails() -> None:
    still, climbing = [(0.02, 0.02), (0.021, 0.02)], [(0.02, 0.02), (0.1, 0.02)]
    assert still_claim(rows(*CLIMB), rows(*still), 0).holds
    assert still_claim(rows(*CLIMB), rows(*climbing), 0).holds is False
    assert still_claim(rows(*still), rows(*still), 0).holds is False


def test_a_model_below_the_bigram_floor_fails_the_claim_that_it_is_one() -> None:
    assert learning_claim(2.7, 2.6).holds
    assert learning_claim(2.5, 2.6).holds is False


def test_the_published_numbers_bear_both_statements() -> None:
    assert published_claim().holds
    assert published_arithmetic().holds


def test_a_win_that_is_more_than_the_penalty_is_seen() -> None:
    ce = np.linspace(2.0, 3.0, 50)
    bistable = (ce, 1.0, 0.2)
    assert difference_claim([bistable, (ce + 0.01, CONSTANT, -0.5)], 0.5).holds
    assert difference_claim([bistable, (ce + 0.5, CONSTANT, -0.5)], 0.5).holds is False
    assert difference_claim([bistable, (ce + 0.01, 1.0, 0.2)], 0.5).holds is False


def test_a_penalty_off_the_constant_is_seen() -> None:
    assert constant_claim(5.70).holds
    assert constant_claim(1.13).holds is False
    assert pytest.approx(5.756, abs=1e-3) == CONSTANT


def test_a_report_reads_on_a_screen_and_in_a_program() -> None:
    claim = Claim("it falls", "fast", "-", "slow", True, {"speed": math.nan, "n": 3})
    report = ReproductionReport(
        "kssm-v9", "gravity", ["small"], [claim], [Table("By step", ("step",), [("1",)])]
    )
    said = lines(report)
    assert "[holds] it falls" in said
    assert not any("predicted" in line for line in said)
    plain = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert plain["claims"][0]["numbers"] == {"speed": None, "n": 3}


def test_a_quick_run_judges_nothing() -> None:
    report = without_verdicts(ReproductionReport("kssm-v9", "", [], [Claim("it falls", "-", "-", "-", True)]))
    assert report.claims[0].holds is None
    assert "proves nothing" in lines(report)[-1]
    assert not any("holds" in line for line in lines(report))
