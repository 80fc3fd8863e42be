"""Who is compared: the causal model, its controls, and the model without one of its parts."""

from dataclasses import dataclass

from trainer.config.resolve import resolve
from trainer.config.schema import RunConfig

BATCH, CONTEXT = 8, 256
STEP_BYTES = BATCH * CONTEXT
EVAL_TOKENS = 65536
SUBJECT = "kssm-v3"


@dataclass(frozen=True, slots=True)
class Contender:
    """A preset and what is set in it beside the rate."""

    name: str
    preset: str
    sets: tuple[str, ...] = ()


CONTENDERS = {
    one.name: one
    for one in (
        Contender(SUBJECT, "kssm-v3-tiny"),
        Contender("gpt", "gpt-tiny"),
        Contender("gated", "gated-tiny"),
        Contender("uncoupled", "kssm-v3-tiny", ("model.coupled=false",)),
        Contender("residual", "kssm-v3-tiny", ("model.path=residual",)),
    )
}


@dataclass(frozen=True, slots=True)
class Setting:
    """What is chosen for each model on a seed of its own; whatever else there is stands in the preset."""

    lr: float
    beta2: float = 0.98
    warmup: int = 40

    @property
    def sets(self) -> tuple[str, ...]:
        """The overrides that say so."""
        return (f"optim.lr={self.lr}", f"optim.beta2={self.beta2}", f"optim.warmup={self.warmup}")


def config_of(
    name: str, setting: Setting, source: str, *, steps: int, seed: int, sets: tuple[str, ...] = ()
) -> RunConfig:
    """The whole configuration of a run of the study: bytes, float32, one thread, its own full schedule."""
    contender = CONTENDERS[name]
    overrides = [
        f"steps={steps}",
        f"batch={BATCH}",
        f"context={CONTEXT}",
        f"seed={seed}",
        f"eval.tokens={EVAL_TOKENS}",
        "data.tokenizer=byte",
        "optim.amp=off",
        *contender.sets,
        *setting.sets,
        *sets,
    ]
    return resolve(contender.preset, overrides=overrides, data=source).config
