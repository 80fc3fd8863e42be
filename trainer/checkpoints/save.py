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


@dataclass(frozen=True, slots=True)
class CapturedState:
    """What a checkpoint holds, ready to be written: its tensors by file, its manifest without proofs."""

    name: str
    tensors: Mapping[str, Mapping[str, torch.Tensor]]
    files: Mapping[str, bytes]
    manifest: Mapping[str, Any]


Tensors = Mapping[str, Mapping[str, torch.Tensor]]


def tensors_of(state: TrainState) -> dict[str, dict[str, torch.Tensor]]:
    """Return the tensors of a checkpoint by file: the run's own memory, which its next step changes."""
    weights = {key: value.detach().contiguous() for key, value in state.model.state_dict().items()}
    tensors = {MODEL_FILE: weights, OPTIMIZER_FILE: moments(state.optimizer, named_parameters_of(state))}
    if state.average is not None:
        tensors[AVERAGE_FILE] = dict(state.average.values)
    return tensors


def spare_memory(tensors: Tensors) -> Tensors:
    """Return memory of the host for a copy of such tensors, every page of it taken already."""
    return {
        file: {key: torch.empty_like(value, device="cpu").zero_() for key, value in named.items()}
        for file, named in tensors.items()
    }


def capture_state(
    state: TrainState, around: Surroundings, kind: str, *, copied: bool, spare: Tensors | None = None
) -> CapturedState:
    """Return what a checkpoint of this moment holds; `copied`, so that training may go on meanwhile.

    Args:
        spare: an earlier copy that nobody needs any more: its memory is used again, which is far quicker.

    Raises:
        DivergedError: a weight is not finite; such a state is never saved.
    """
    refuse_non_finite(state)
    tensors = tensors_of(state)
    if copied:
        tensors = {file: _copied(named, (spare or {}).get(file, {})) for file, named in tensors.items()}
    files = {TOKENIZER_FILE: around.tokenizer, TRACE_FILE: around.trace}
    return CapturedState(checkpoint_name(state.step), tensors, files, manifest_of(state, around, kind))


def write_captured(folder: Path, captured: CapturedState) -> Saved:
    """Write `folder/step-NNNNNNNN`; earlier checkpoints stay as they are whatever happens.

    Raises:
        OSError: the disk refused.
    """
    with Draft(folder, captured.name) as draft:
        for file, named in captured.tensors.items():
            draft.tensors(file, named)
        for file, text in captured.files.items():
            if text:
                draft.file(file, text)
        sha256, size = draft.publish(captured.manifest)
    return Saved(captured.name, sha256, size)


def save(folder: Path, state: TrainState, around: Surroundings, kind: str) -> Saved:
    """Capture and write at once.

    Raises:
        DivergedError: a weight is not finite; such a state is never saved.
        OSError: the disk refused.
    """
    return write_captured(folder, capture_state(state, around, kind, copied=False))


def _copied(named: Mapping[str, torch.Tensor], spare: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return copies in the memory of the host, in that of `spare` where it has their shape."""
    copies = {}
    for key, value in named.items():
        old = spare.get(key)
        fits = old is not None and old.shape == value.shape and old.dtype == value.dtype
        copies[key] = old.copy_(value) if fits and old is not None else value.to("cpu", copy=True)
    return copies


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
    # a sum is finite only where all of it is, and takes a tenth of the time of a look at each number
    sums = torch.stack([value.detach().sum().isfinite() for value in named.values()])
    doubted = [name for name, fine in zip(named, sums.tolist(), strict=True) if not fine]
    return [name for name in doubted if not bool(named[name].detach().isfinite().all())]


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
        "best_kept": state.best_kept if math.isfinite(state.best_kept) else None,
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
