"""Values that are each allowed and do not fit together: said before the first step."""

from collections.abc import Iterator

from trainer.config.schema import RunConfig
from trainer.step.lr_schedule import Schedule


def misfits(config: RunConfig, schedule: Schedule, held_out: int) -> Iterator[str]:
    """Yield a sentence, with its remedy, for each.

    Args:
        schedule: as the run has it; a run that continues keeps an older one.
        held_out: tokens of validation.
    """
    if schedule.warmup >= min(config.steps, schedule.horizon):
        yield (
            f"optim.warmup={schedule.warmup} is not over after {config.steps} steps: the rate never comes to "
            f"optim.lr={schedule.peak:g}; --set optim.warmup={max(1, config.steps // 10)} would"
        )
    if config.eval.tokens >= held_out and not _is_default(config):
        yield (
            f"eval.tokens={config.eval.tokens} is more than the {held_out} held out: those are scored;"
            " a larger data.val_fraction holds out more"
        )
    if config.context >= held_out:
        yield (
            f"context={config.context} is more than the {held_out} tokens that are held out: the score is of "
            "a shorter window; a larger data.val_fraction holds out more"
        )
    for key, every in (("checkpoint.every", config.checkpoint.every), ("eval.every", config.eval.every)):
        if every > config.steps:
            what = "nothing is saved" if key.startswith("checkpoint") else "nothing is scored"
            yield f"{key}={every} is more than steps={config.steps}: {what} before the last step"
    if config.micro_batch > config.batch:
        yield f"micro_batch={config.micro_batch} is more than batch={config.batch}: the whole batch is one"


def _is_default(config: RunConfig) -> bool:
    return config.eval.tokens == RunConfig().eval.tokens
