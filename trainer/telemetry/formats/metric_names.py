"""One name for one quantity, however a framework spells it; every other name stays as the log writes it."""

import re
from collections.abc import Mapping
from functools import lru_cache

from trainer.telemetry.events import Number
from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Row

NAME_LIMIT = 80
VALUES_LIMIT = 512
_SAME = {
    "loss": ("train_loss", "train/loss", "training_loss", "loss/train", "lm_loss", "lm loss", "train loss",
             "training loss", "train_loss_step", "train/loss_step", "loss_step", "train-loss"),
    "val_loss": ("eval_loss", "valid_loss", "validation_loss", "val/loss", "eval/loss", "valid/loss",
                 "loss/val",
                 "validation/loss", "val loss", "validation loss", "val_loss_epoch", "valid_loss_epoch",
                 "val/loss_epoch", "loss/validation"),
    "val_bpb": ("validation bpb", "val bpb", "val/bpb"),
    "val_ppl": ("val_perplexity", "valid_ppl", "eval_perplexity", "eval_ppl", "val/ppl", "val ppl",
                "valid_perplexity",
                "validation_perplexity", "val/perplexity"),
    "val_acc": ("valid_acc", "eval_acc", "val/acc", "val acc", "valid_acc_epoch", "val_acc_epoch"),
    "ppl": ("perplexity", "train_ppl", "train/ppl", "train_perplexity"),
    "grad_norm": ("gnorm", "grad norm", "gradnorm", "gradient_norm", "train/grad_norm", "grad-norm", "norm"),
    "lr": ("learning_rate", "learning rate", "learning-rate", "train/learning_rate", "train/lr", "lr/pg0"),
    "tokens_per_s": ("tok/sec", "tokens/sec", "tokens_per_sec", "tps", "tok/s", "tokens_per_second",
                     "tokens/s", "train/tokens_per_sec"),
    "step_ms": ("elapsed time per iteration (ms)", "elapsed_time_per_iteration_ms", "time_per_iteration_ms",
                "iter_time_ms", "ms_per_step"),
    "tokens": ("trained tokens", "consumed_tokens", "tokens_seen", "num_input_tokens_seen", "train/tokens"),
    "mfu": ("bf16_mfu",),
}  # fmt: skip
_ENVELOPE = frozenset({"type", "seq", "attempt", "t", "step", "nonfinite", "u_stat", "best", "layers"})
_CANONICAL = {other: name for name, others in _SAME.items() for other in others}
_HELD_OUT = lazy(
    r"(?:val|valid|validation|eval|dev|test|heldout|held_out)(?:[_/ .-]|(?=loss|acc))|metrics/", re.I
)
_CLOCKS = frozenset(
    {"epoch", "time", "elapsed", "timestamp", "wall", "_runtime", "_timestamp", "elapsed_s", "tone"}
)
_LOSS = lazy(r"loss|ce$|nll|bpb|perplexity|ppl", re.I)


@lru_cache(maxsize=4096)
def canonical(name: str) -> str:
    """The one name of a quantity, cut to a length that can be shown."""
    plain = name.strip()
    lower = plain.lower()
    if lower in _ENVELOPE:
        return f"{plain}_"
    if lower in _CANONICAL:
        return _CANONICAL[lower]
    if lower.startswith("lr-") and "/" not in lower:
        return "lr"  # Lightning's learning rate monitor names the optimizer
    if lower == "learning_rate" or lower in _SAME:
        return lower
    return "".join(c if c.isprintable() else " " for c in plain[:NAME_LIMIT])


@lru_cache(maxsize=4096)
def is_held_out(name: str) -> bool:
    """Whether a quantity was measured on data that is not trained on."""
    return _HELD_OUT.match(name) is not None or _CANONICAL.get(name.lower(), "").startswith("val_")


def name_all(values: Mapping[str, float | None]) -> dict[str, Number]:
    """Values under their canonical names; the first of two that would share one keeps it."""
    return {short: values[name] for short, name in _short_names(tuple(values))}


@lru_cache(maxsize=64)
def _short_names(names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Canonical names of what one row tells, each with the name that the row has for it."""
    named: dict[str, str] = {}
    for name in names:
        short = canonical(name)
        if short in named:
            short = name.strip()[:NAME_LIMIT]
            if short.lower() in _ENVELOPE:
                continue
        named.setdefault(short, name)
        if len(named) >= VALUES_LIMIT:
            break
    return tuple(named.items())


def split(step: int, values: Mapping[str, float | None], t: float = 0.0, total: int = 0) -> list[Row]:
    """A row of training, a row of held-out scores, or both: by the names of what a line tells.

    Where held-out scores stand without a training loss, all belongs to them.
    """
    held_out = {name for name in values if is_held_out(name)}
    if not held_out:
        return [Row(step, name_all(values), False, total, t)] if values.keys() - _CLOCKS else []
    trained = {name: value for name, value in values.items() if name not in held_out}
    scores = {name: value for name, value in values.items() if name in held_out}
    if not any(_LOSS.search(name) for name in trained):
        return [Row(step, name_all({**scores, **trained}), True, total, t)]
    return [Row(step, name_all(trained), False, total, t), Row(step, name_all(scores), True, total, t)]


_METRIC = lazy(
    r"loss|acc|ppl|perplexity|reward|score|err|f1|auc|lr$|learning_rate|grad|mse|mae|nll|bp[bc]|^ce$|kl|return|iou|"
    r"map|dice|wer|cer|bleu|rouge|psnr|ssim|fid",
    re.I,
)


@lru_cache(maxsize=4096)
def is_metric(name: str) -> bool:
    """Whether a quantity is one that is measured in training, by its name."""
    return _METRIC.search(name) is not None
