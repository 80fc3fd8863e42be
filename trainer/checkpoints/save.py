"""Saving: state -> files, proven on disk before anybody hears of it."""

import hashlib
import json
import math
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from trainer.checkpoints import generators
from trainer.checkpoints.draft import Draft
from trainer.checkpoints.moments import moments
from trainer.config.resolve import to_values
from trainer.config.schema import RunConfig
from trainer.device.device import Device
from trainer.job.outcome import DivergedError
from trainer.run.checkpoints.manifest import checkpoint_name
from trainer.step.state import TrainState, named_parameters_of

MODEL_FILE = "model.safetensors"
OPTIMIZER_FILE = "optimizer.safetensors"
AVERAGE_FILE = "average.safetensors"
TOKENIZER_FILE = "tokenizer.json"
TRACE_FILE = "trace.json.gz"
FORMAT = 1
LESS_IS_BETTER = frozenset({"val_ce", "val_loss", "val_ppl", "val_bpb", "val_ce_ema"})


@dataclass(frozen=True, slots=True)
class Saved:
    """A checkpoint on disk: its folder's name, the hash of its manifest and its size in bytes."""

    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a manifest tells beside the state: what ran, on what, over which data.

    Attributes:
        others: `of_process` of every process but the first.
        tokenizer: all that makes it again, as JSON; so the model can speak where its text is not.
        floors: unigram, bigram and trigram of what it is scored on, nats a token.
        trace: of its very step, gzipped, where `profile.at` asked for one.
    """

    config: RunConfig
    device: Device
    data_fingerprint: str
    vocab_size: int
    others: Sequence[Mapping[str, Any]] = ()
    tokenizer: bytes = b""
    floors: tuple[float, ...] = ()
    trace: bytes = b""


def of_process(state: TrainState, device: Device) -> dict[str, Any]:
    """Return what each process of several has for itself: its generators and its micro-batch."""
    return {"generators": generators.capture(device, state.noise), "micro_batch": state.micro_batch}


def save(folder: Path, state: TrainState, around: Surroundings, kind: str) -> Saved:
    """Write `folder/step-NNNNNNNN`; earlier checkpoints stay as they are whatever happens.

    Raises:
        DivergedError: a weight is not finite; such a state is never saved.
        OSError: the disk refused.
    """
    refuse_non_finite(state)
    name = checkpoint_name(state.step)
    with Draft(folder, name) as draft:
        weights = {key: value.detach().contiguous() for key, value in state.model.state_dict().items()}
        draft.tensors(MODEL_FILE, weights)
        draft.tensors(OPTIMIZER_FILE, moments(state.optimizer, named_parameters_of(state)))
        if state.average is not None:
            draft.tensors(AVERAGE_FILE, state.average.values)
        if around.tokenizer:
            draft.file(TOKENIZER_FILE, around.tokenizer)
        if around.trace:
            draft.file(TRACE_FILE, around.trace)
        sha256, size = draft.publish(manifest_of(state, around, kind))
    return Saved(name, sha256, size)


def refuse_non_finite(state: TrainState) -> None:
    """Raise `DivergedError` naming the tensors with a NaN or an infinity, if there are any."""
    if bad := bad_weights(state):
        raise DivergedError(
            f"non-finite weights at step {state.step} ({', '.join(bad[:3])}): not saved; "
            "resume from the last checkpoint with a lower optim.lr or a tighter optim.clip"
        )


def bad_weights(state: TrainState) -> list[str]:
    """Return the names of the tensors with a NaN or an infinity. Waits for the device."""
    named = state.model.state_dict()
    sums = torch.stack([value.detach().float().isfinite().all() for value in named.values()])
    return [name for name, fine in zip(named, sums.tolist(), strict=True) if not fine]


def manifest_of(state: TrainState, around: Surroundings, kind: str) -> dict[str, Any]:
    """Return what `state.json` holds, without proofs and seal."""
    metrics = {key: value for key, value in (state.metrics or {}).items() if math.isfinite(value)}
    config = around.config
    return {
        "format": FORMAT,
        "step": state.step,
        "tokens": state.tokens,
        "kind": kind,
        "parent": state.parent,
        "primary": "val_ce",
        "metrics": {key: entry(key, value) for key, value in metrics.items()},
        "best": state.best if math.isfinite(state.best) else None,
        "defence": state.defence.to_json(),
        "good": state.defence.is_calm,
        "owes_evaluation": state.owes_evaluation,
        "cursor": {
            "index": state.cursor,
            "seed": config.seed,
            "batch": config.batch,
            "context": config.context,
        },
        "schedule": asdict(state.schedule),
        **of_process(state, around.device),
        "processes": 1 + len(around.others),
        "others": list(around.others),
        "config": to_values(config),
        "data_fingerprint": around.data_fingerprint,
        "vocab_size": around.vocab_size,
        "tokenizer": tokenizer_facts(around.tokenizer),
        "floors": dict(zip(("unigram", "bigram", "trigram"), around.floors, strict=False)),
        "device": around.device.kind,
        "threads": around.device.threads,
        "autocast": state.precision.autocast,
        "loss_scale": state.loss_scale.state() if state.loss_scale else None,
        "kernels": state.kernels.name,
        "versions": {
            "photinus": installed_version(),
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
        "at": time.time(),
    }


def tokenizer_facts(raw: bytes) -> dict[str, Any]:
    """Return kind, hash and special tokens (ours have none) of a tokenizer; nothing of none."""
    if not raw:
        return {}
    name = str(json.loads(raw).get("name", ""))
    return {"name": name, "sha256": hashlib.sha256(raw).hexdigest(), "special_tokens": []}


def entry(metric: str, value: float) -> dict[str, Any]:
    """Return a metric as manifests hold it: a direction only where one is better. R and u have none."""
    return {"value": value, "direction": "min"} if metric in LESS_IS_BETTER else {"value": value}


def installed_version() -> str:
    """Return the version of this distribution; `unknown` in a bare checkout."""
    try:
        return metadata.version("photinus")
    except metadata.PackageNotFoundError:
        return "unknown"
