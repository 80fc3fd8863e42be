"""What formats share that tell one metric a line: a block of lines becomes one row."""

import re
from collections.abc import Mapping, Sequence

from trainer.telemetry.formats.metric_names import canonical, is_metric, split
from trainer.telemetry.formats.numbers import NUMBER, measure, number
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Row

LINES_LIMIT = 512  # lines of one block
PATIENCE = 2  # lines of another stream, one below the other, that end none
_AROUND = lazy(rf"({NUMBER})\s?(?:±|\+/-|\+-)\s?{NUMBER}|({NUMBER})\s?\({NUMBER}\)")
_PLAYED = lazy(r"(?:^|[_/ ])(?:ep_?)?(?:rew|fps|len_mean|ret$)|fps$", re.IGNORECASE)
_SETTINGS = frozenset(
    {"gamma", "batch_size", "batch size", "seed", "n_steps", "n_epochs", "num_epochs", "max_epochs",
     "max_steps", "buffer_size", "gae_lambda", "max_grad_norm", "policy", "optimizer", "weight_decay",
     "warmup_steps", "device", "hidden_size", "num_layers", "num_workers", "dropout", "epochs"}
)  # fmt: skip


def value_of(text: str) -> float | None:
    """A number with its unit, or the middle of one with what it scatters by; None for a word."""
    value = measure(text)
    if value is None and (found := _AROUND.fullmatch(text.strip())) is not None:
        value = number(found.group(1) or found.group(2))
    return value


def are_settings(names: Sequence[str] | Mapping[str, object]) -> bool:
    """Whether a block lists what a run was asked, and not what it measured."""
    return any(name.lower() in _SETTINGS for name in names)


def is_measured(values: Mapping[str, float | None]) -> bool:
    """Whether something among a block's values is measured in training, or in an environment."""
    return any((is_metric(name) and canonical(name) != "lr") or _PLAYED.search(name) for name in values)


def block_rows(step: int, values: Mapping[str, float | None], t: float = 0.0, total: int = 0) -> list[Row]:
    """The rows of a block: none where it lists settings, or nothing that is measured."""
    if are_settings(values) or not is_measured(values):
        return []
    return split(step, values, t, total)
