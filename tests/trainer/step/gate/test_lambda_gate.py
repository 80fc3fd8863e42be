"""The gate gives the published sequence, and nothing while it is closed."""

import json
import random
from collections.abc import Sequence

import pytest

from tests.trainer.step.gate.recomputed import Replay, recomputed
from trainer.step.gate.lambda_gate import CorrectedAverage, GateRules, GateTransition, LambdaGate

GUARD = GateRules(
    start=4, warmup=4, plateau_eps=0.01, threshold=0.6, target=0.65, floor=0.002, increment=0.004, limit=0.05,
    end=0.03, backoff=0.5, require_read=True, patience=2, pause_below_read=True, freeze=2,
)  # fmt: skip
READS = [0.1, 0.4, 0.61, 0.62, 0.7, 0.7, 0.7, 0.72, 0.65, 0.62, 0.59, 0.64, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9]
BY_HAND = [
    0, 0, 0, 0, 0.002, 0.002, 0.006, 0.010, 0.010, 0.005, 0.002, 0.002,
    0.006, 0.010, 0.014, 0.018, 0.022, 0.026, 0.030,
]  # fmt: skip
STATUSES = ["closed"] * 3 + ["open"] + ["frozen"] * 2 + ["ramping"] * 4 + ["paused"] + ["ramping"] * 8


def replayed(
    accuracy: Sequence[float], read: Sequence[float], rules: GateRules
) -> tuple[Replay, list[GateTransition]]:
    """What the gate makes of a recorded series."""
    gate, weights, statuses, told = LambdaGate(), [], [], []
    for score, average in zip(accuracy, read, strict=True):
        transition = gate.advance(average, rules)
        told += [transition] if transition else []
        weights.append(gate.weight)
        statuses.append(str(gate.status))
        gate.take(score, rules)
    return Replay(weights, statuses, gate.opened_at, gate.opened_by), told


def any_rules(draw: random.Random) -> GateRules:
    """Parameters from all over their ranges."""
    threshold = draw.uniform(0.1, 0.9)
    return GateRules(
        start=draw.randint(0, 8), warmup=draw.randint(0, 10), plateau=draw.randint(2, 4),
        plateau_eps=draw.choice((0.0, 0.002, 0.05)), threshold=threshold, patience=draw.randint(0, 3),
        allow_plateau=draw.random() < 0.5, require_read=draw.random() < 0.5,
        require_plateau=draw.random() < 0.5, target=threshold + draw.uniform(-0.1, 0.1),
        hysteresis=draw.choice((0.0, 0.02)), floor=draw.choice((0.0, 0.001, 0.03)),
        increment=draw.choice((0.0, 0.001, 0.01)), limit=draw.choice((0.0, 0.02, 0.05)),
        end=draw.choice((0.01, 0.02)), backoff=draw.uniform(0.1, 1.0),
        pause_below_read=draw.random() < 0.5, freeze=draw.randint(0, 3),
    )  # fmt: skip


def any_series(draw: random.Random) -> tuple[list[float], list[float]]:
    """Accuracies and read averages of 20 epochs."""
    step = draw.choice((0.001, 0.1))
    accuracy = [min(max(draw.random() * 0.2 + epoch * step, 0.0), 1.0) for epoch in range(20)]
    return accuracy, [draw.random() for _ in range(20)]


def test_a_series_gives_what_was_worked_out_by_hand() -> None:
    ours, told = replayed([0.5] * len(READS), READS, GUARD)
    assert ours.weights == pytest.approx(BY_HAND, abs=1e-9)
    assert (ours.statuses, ours.opens, ours.reason) == (STATUSES, 4, "read")
    assert [(one.epoch, one.before, one.after) for one in told] == [
        (4, "closed", "open"),
        (5, "open", "frozen"),
        (7, "frozen", "ramping"),
        (11, "ramping", "paused"),
        (12, "paused", "ramping"),
    ]
    assert [one.reason for one in told][:4] == [
        "the read average is good",
        "the weight stands still for 2 epochs",
        "the weight follows the read average",
        "the read average is below 0.6",
    ]


def test_a_plateau_of_exactly_eps_opens_it() -> None:
    accuracy, read = [0.3, 0.6, 0.602, 0.9, 0.9, 0.9], [0.0, 0.1, 0.1, 0.2, 0.53, 0.53]
    ours, _ = replayed(accuracy, read, GateRules())
    assert (ours.opens, ours.reason) == (4, "plateau")
    assert ours.weights == pytest.approx([0, 0, 0, 0, 0.01, 0.02], abs=1e-9)
    beyond, _ = replayed([0.3, 0.6, 0.603, 0.9, 0.9, 0.9], read, GateRules())
    assert (beyond.opens, beyond.reason) == (5, "read")


def test_a_thousand_random_series_give_what_the_rules_say_and_nothing_while_closed() -> None:
    draw, opened, closed = random.Random(17), 0, 0
    for _ in range(1000):
        rules, (accuracy, read) = any_rules(draw), any_series(draw)
        ours, theirs = replayed(accuracy, read, rules)[0], recomputed(accuracy, read, rules)
        assert ours.weights == pytest.approx(theirs.weights, abs=1e-9)
        assert (ours.statuses, ours.opens, ours.reason) == (theirs.statuses, theirs.opens, theirs.reason)
        shut = [
            weight for weight, status in zip(ours.weights, ours.statuses, strict=True) if status == "closed"
        ]
        assert not any(shut)
        assert max(ours.weights) <= rules.most
        closed, opened = closed + len(shut), opened + bool(ours.opens)
    assert closed > 5000
    assert 300 < opened < 900


def test_no_schedule_passes_a_closed_gate_as_the_published_one_did() -> None:
    draw, passed = random.Random(3), 0
    for _ in range(1000):
        rules, (accuracy, read) = any_rules(draw), any_series(draw)
        gate = LambdaGate()
        for score, average in zip(accuracy, read, strict=True):
            gate.advance(average, rules)
            scheduled = draw.uniform(-1, 5)
            if gate.status == "closed":
                assert gate.used(scheduled) == gate.used() == 0.0
                passed += max(gate.weight, scheduled) > 0
            assert 0 <= gate.used(scheduled) <= gate.weight
            gate.take(score, rules)
    assert passed > 1000  # the larger of the two, as published, is above 0 in closed epochs


def test_a_gate_without_a_weight_to_give_stays_closed() -> None:
    for rules in (GateRules(limit=0.0), GateRules(end=0.0), GateRules(increment=0.0)):
        ours, told = replayed([0.5] * 9, [0.9] * 9, rules)
        assert (ours.opens, told) == (0, [])


def test_no_reading_yet_is_no_good_reading() -> None:
    gate, rules = LambdaGate(), GateRules(allow_plateau=False, threshold=0.0)
    for _ in range(5):
        assert gate.advance(None, rules) is None
        assert gate.advance(float("nan"), rules) is None
        assert gate.advance(float("inf"), rules) is None
    assert gate.advance(0.0, rules) is not None


def test_a_gate_that_is_stored_between_any_two_epochs_goes_on_alike() -> None:
    draw = random.Random(5)
    for _ in range(100):
        rules, (accuracy, read) = any_rules(draw), any_series(draw)
        gate, other = LambdaGate(), LambdaGate()
        for score, average in zip(accuracy, read, strict=True):
            other = LambdaGate.from_json(json.loads(json.dumps(other.to_json())))
            assert gate.advance(average, rules) == other.advance(average, rules)
            gate.take(score, rules)
            other.take(score, rules)
            assert gate == other


def test_an_average_is_right_from_its_first_value_on() -> None:
    average = CorrectedAverage()
    assert average.value is None
    for _ in range(5):
        average.take(0.9)
        average.take(float("nan"))
        assert average.value == pytest.approx(0.9, abs=1e-12)
    average.take(0.4)
    raw = [0.9] * 5 + [0.4]
    weights = [0.8**age for age in range(5, -1, -1)]
    assert average.value == pytest.approx(
        sum(w * x for w, x in zip(weights, raw, strict=True)) / sum(weights), abs=1e-12
    )


def test_a_corrected_average_opens_where_a_raw_one_is_a_timer() -> None:
    rules, corrected, raw = (
        GateRules(start=2, warmup=0, require_read=True, threshold=0.6),
        CorrectedAverage(),
        0.0,
    )
    opened: dict[str, int] = {}
    ours, theirs = LambdaGate(), LambdaGate()
    for epoch in range(1, 9):
        for name, gate, value in (("corrected", ours, corrected.value), ("raw", theirs, raw)):
            gate.advance(value, rules)
            if gate.opened_at == epoch:
                opened[name] = epoch
        corrected.take(0.9)
        raw = 0.8 * raw + 0.2 * 0.9
    assert opened == {"corrected": 2, "raw": 6}
