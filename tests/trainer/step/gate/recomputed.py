"""The published scheduler once more, over a whole series and in the form of its rules, to hold ours to."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from trainer.step.gate.lambda_gate import GateRules


@dataclass(frozen=True, slots=True)
class Replay:
    """Lambda and status of each epoch, the epoch of the opening (0: none), and by what it opened."""

    weights: list[float]
    statuses: list[str]
    opens: int
    reason: str


def recomputed(accuracy: Sequence[float], read: Sequence[float], rules: GateRules) -> Replay:
    """Work out every epoch from the rules; `read[k]` is known at the start of epoch k + 1."""
    opens, reason = first_open(accuracy, read, rules)
    if not opens:
        return Replay([0.0] * len(read), ["closed"] * len(read), 0, "")
    weights, statuses = [0.0] * (opens - 1), ["closed"] * (opens - 1)
    weight, most = 0.0, min(rules.limit, rules.end)
    begins = max(opens, rules.warmup + 1)  # the first epoch whose weight may move
    still_from = max(begins, opens + 1)
    for epoch in range(opens, len(read) + 1):
        now = read[epoch - 1]
        if epoch < begins:
            weights.append(0.0)
            statuses.append("open")
            continue
        weight, frozen = max(weight, rules.floor), still_from <= epoch < still_from + rules.freeze
        paused = not frozen and rules.pause_below_read and now < rules.threshold
        if not frozen:
            if now > rules.target + rules.hysteresis:
                weight = min(weight + rules.increment, most)
            if now < rules.target - rules.hysteresis:
                weight = max(rules.floor, weight * rules.backoff)
            weight = rules.floor if paused else weight
        weight = min(weight, most)
        weights.append(weight)
        statuses.append(
            "open" if epoch == opens else "frozen" if frozen else "paused" if paused else "ramping"
        )
    return Replay(weights, statuses, opens, reason)


def first_open(accuracy: Sequence[float], read: Sequence[float], rules: GateRules) -> tuple[int, str]:
    """Return the epoch at which the gate opens, and by what; 0 where it does not."""
    if min(rules.limit, rules.end) <= 0 or (rules.increment <= 0 and rules.floor <= 0):
        return 0, ""
    for epoch in range(max(rules.start, 1), len(read) + 1):
        lately = read[max(epoch - max(rules.patience, 1), 0) : epoch]
        reads = len(lately) == max(rules.patience, 1) and min(lately) >= rules.threshold
        past = accuracy[max(epoch - 1 - rules.plateau, 0) : epoch - 1]
        steps = [abs(b - a) for a, b in itertools.pairwise(past)]
        stands = len(past) == rules.plateau and max(steps) <= rules.plateau_eps + 1e-12
        if rules.require_read:
            if reads and (stands or not rules.require_plateau):
                return epoch, "read"
        elif reads or (rules.allow_plateau and stands):
            return epoch, "read" if reads else "plateau"
    return 0, ""
