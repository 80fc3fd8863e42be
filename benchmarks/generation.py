"""What a generated token costs at positions 16 to 4,096: flat for `kssm-v3`, growing for `gpt`."""

import statistics
import time
from typing import Any

import torch

from benchmarks.figures import Figure, report
from trainer.models import LanguageModel, create

POSITIONS = (16, 64, 256, 1024, 4096)
PRESETS = ("kssm-v3-tiny", "gated-tiny", "gpt-tiny")
ROUNDS = 200
FLAT = 0.10


def states_at(model: LanguageModel[Any], text: torch.Tensor) -> dict[int, Any]:
    """Return the states from which the tokens at `POSITIONS` are made."""
    state, kept = model.init_state(1), {}
    for position, token in enumerate(text, start=1):
        if position in POSITIONS:
            kept[position] = state
        _, state = model.step(token[None], state)
    return kept


def medians(model: LanguageModel[Any], text: torch.Tensor) -> dict[int, float]:
    """Return the median processor time of a token at each position, positions interleaved."""
    states = states_at(model, text)
    taken: dict[int, list[float]] = {position: [] for position in POSITIONS}
    for index in range(ROUNDS + 10):
        for position, state in states.items():
            begun = time.process_time()
            model.step(text[position - 1][None], state)
            if index >= 10:
                taken[position].append(time.process_time() - begun)
    return {position: statistics.median(times) for position, times in taken.items()}


def main() -> None:
    """Measure processor time on one thread: it is the same whatever else the machine does."""
    torch.set_num_threads(1)
    figures = []
    for preset in PRESETS:
        torch.manual_seed(0)
        model = create(preset, 256).eval()
        cost = medians(model, torch.randint(256, (max(POSITIONS),)))
        first = cost[POSITIONS[0]]
        for position, one in cost.items():
            what = f"{preset}: a token at position {position}"
            figures.append(Figure(what, 1e3 * one, "ms", None, True, ROUNDS, "position 16", one / first))
        worst = max(abs(one / first - 1) for one in cost.values())
        aim = None if preset.startswith("gpt") else FLAT
        figures.append(
            Figure(f"{preset}: farthest from the cost at position 16", worst, "share", aim, True, ROUNDS)
        )
    report(figures)


if __name__ == "__main__":
    main()
