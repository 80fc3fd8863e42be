"""A gated loss over a whole run: what it weighs, what its alarm does, and that it may be stored anywhere."""

import json
from dataclasses import dataclass, field

import pytest

from trainer.config.schema import GuardConfig
from trainer.step.gate.drop_alarm import AlarmRules, SustainedDrop
from trainer.step.gate.gated_loss import AlarmAction, GatedLoss
from trainer.step.gate.lambda_gate import GateRules
from trainer.step.self_defence import SelfDefence

RULES = GateRules(start=3, warmup=3, require_read=True, threshold=0.5, target=0.4, floor=0.001)
ALARM = AlarmRules()
ACCURACY = [0.5, 0.8, 0.9, 0.9, 0.6, 0.6, 0.6, 0.6]
"""Lambda weighs from epoch 4 on; the two validations of epochs 5 and 6 are the drop."""
STEPS = 10
GUARD = GuardConfig()


@dataclass
class Told:
    """What a run of epochs came to."""

    weights: list[float] = field(default_factory=list)
    drops: dict[int, SustainedDrop] = field(default_factory=dict)


def epochs(loss: GatedLoss, *, stored: bool = False) -> tuple[GatedLoss, Told]:
    """Let a loss live through `ACCURACY`, with a checkpoint an epoch; `stored`: through JSON at each end."""
    told = Told()
    for epoch, accuracy in enumerate(ACCURACY, 1):
        loss.begin_epoch(RULES)
        told.weights.append(loss.weight)
        drop = loss.end_epoch(accuracy, 400, 0.9, f"step-{epoch * STEPS:08d}", RULES, ALARM)
        if drop:
            told.drops[epoch] = drop
        if stored:
            loss = GatedLoss.from_json(json.loads(json.dumps(loss.to_json())))
    return loss, told


def test_the_weight_rises_with_good_reads_and_a_drop_that_lasts_is_found() -> None:
    loss, told = epochs(GatedLoss())
    assert told.weights == pytest.approx([0, 0, 0, 0.011, 0.02, 0.02, 0.02, 0.02])
    assert min(told.drops) == 6
    assert loss.before == "step-00000030"  # the last one before lambda weighed anything


def test_a_loss_that_is_stored_at_every_epoch_goes_on_alike() -> None:
    assert epochs(GatedLoss(), stored=True) == epochs(GatedLoss())


def alarmed(action: AlarmAction) -> tuple[GatedLoss, SelfDefence, bool, bool]:
    """A loss and a defence after an action: with whether the run steps back, and whether it ends."""
    loss, told = epochs(GatedLoss())
    defence = SelfDefence(anchor="step-00000080")
    response = loss.respond(action, told.drops[6], 60, defence)
    assert "fell from" in response.told
    assert loss.alarm.streak == 0
    return loss, defence, response.trouble is not None, response.stops


def test_log_changes_nothing() -> None:
    loss, defence, back, stops = alarmed("log")
    assert (defence, back, stops) == (SelfDefence(anchor="step-00000080"), False, False)
    assert loss.weight > 0


def test_lower_halves_the_rate_to_the_end() -> None:
    _, defence, back, stops = alarmed("lower")
    assert (defence.easing(60, GUARD), defence.easing(6000, GUARD)) == (0.5, 0.5)
    assert (back, stops) == (False, False)


def test_stop_ends_the_run() -> None:
    assert alarmed("stop")[2:] == (False, True)


def test_rollback_goes_to_the_checkpoint_before_the_gate_which_then_stays_shut() -> None:
    loss, defence, back, stops = alarmed("rollback")
    assert (defence.anchor, back, stops) == ("step-00000030", True, False)
    restored = GatedLoss()
    for accuracy in ACCURACY[:3]:  # as the checkpoint of epoch 3 holds it
        restored.begin_epoch(RULES)
        restored.end_epoch(accuracy, 400, 0.9, "step-00000030", RULES, ALARM)
    restored.begin_epoch(RULES)
    assert restored.weight > 0  # the control: it would do the same again
    restored.step_back(loss)
    _, told = epochs(restored, stored=True)
    assert (told.weights, told.drops) == ([0.0] * len(ACCURACY), {})
