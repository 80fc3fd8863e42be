"""Which keys keep a checkpoint from being continued."""

from typing import Any

from trainer.checkpoints.compare import differences
from trainer.config.resolve import resolve


def manifest(*sets: str) -> dict[str, Any]:
    return {
        "config": resolve("kssm-v3-tiny", overrides=list(sets)).values(),
        "processes": 1,
        "autocast": "off",
    }


def test_what_touches_the_arithmetic_is_named_and_the_rest_is_free() -> None:
    asked = resolve("kssm-v3-tiny", overrides=["model.group=8", "steps=99", "log.every=7"]).config
    assert differences(manifest(), asked) == ["model.group: 2 in the checkpoint, 8 now"]
    assert differences(manifest("model.group=8"), asked) == []


def test_a_key_that_is_younger_than_the_checkpoint_had_its_default_then() -> None:
    old = manifest()
    del old["config"]["model"]["dynamics"]
    assert differences(old, resolve("kssm-v3-tiny").config) == []
    other = resolve("kssm-v3-tiny", overrides=["model.dynamics=ema"]).config
    assert differences(old, other) == ["model.dynamics: 'driven' in the checkpoint, 'ema' now"]
