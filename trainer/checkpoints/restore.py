"""Restoring: files, verified byte by byte -> state."""

from pathlib import Path

from safetensors.torch import load_file

from trainer.checkpoints import generators
from trainer.checkpoints.moments import set_moments
from trainer.checkpoints.save import AVERAGE_FILE, MODEL_FILE, OPTIMIZER_FILE
from trainer.device.device import Device
from trainer.job.rank import ALONE, Rank
from trainer.run.checkpoints.manifest import Manifest
from trainer.run.run_errors import CheckpointError
from trainer.step.self_defence import SelfDefence
from trainer.step.state import TrainState, named_parameters_of


def restore(state: TrainState, path: Path, manifest: Manifest, device: Device, rank: Rank = ALONE) -> None:
    """Put a verified checkpoint into `state`: its next step is the one that the saved run would have taken.

    Args:
        manifest: what `trainer.run.checkpoints.manifest.verify(path)` returned.
        rank: which process of as many as wrote it; each has generators of its own.

    Raises:
        CheckpointError: its tensors are not those of this model.
    """
    raw = manifest.raw
    own = raw if rank.leads else raw["others"][rank.number - 1]
    try:
        state.model.load_state_dict(load_file(path / MODEL_FILE, device=str(device.place)))
        stored = load_file(path / OPTIMIZER_FILE, device=str(device.place))
        set_moments(state.optimizer, named_parameters_of(state), stored)
        if state.average is not None:
            kept = load_file(path / AVERAGE_FILE, device=str(device.place))
            state.average.values = {name: kept[name] for name in state.average.values}
        generators.restore(device, state.noise, own["generators"])
    except (RuntimeError, KeyError, ValueError) as error:
        raise CheckpointError(
            f"{path.name} does not fit this model ({error}); continue it under its own preset"
        ) from error
    state.step, state.tokens = manifest.step, manifest.tokens
    state.best = float("inf") if raw.get("best") is None else float(raw["best"])
    kept = raw.get("best_kept", raw.get("best"))  # before that was told, every best was saved
    state.best_kept = float("inf") if kept is None else float(kept)
    state.metrics = dict(manifest.metrics) or None
    state.micro_batch = int(own.get("micro_batch", state.micro_batch))
    state.owes_evaluation = bool(raw.get("owes_evaluation", False))
    state.defence = SelfDefence.from_json(raw.get("defence") or {"anchor": path.name})


def restore_weights(state: TrainState, path: Path, manifest: Manifest, device: Device) -> None:
    """Put the weights of a verified checkpoint into `state`, and nothing else of it.

    Raises:
        CheckpointError: they are those of another model.
    """
    try:
        state.model.load_state_dict(load_file(path / MODEL_FILE, device=str(device.place)))
    except RuntimeError as error:
        kind = manifest.raw.get("config", {}).get("model", {}).get("kind")
        why = str(error).splitlines()[-1]
        raise CheckpointError(
            f"{path.name} holds another model, of kind {kind}: {why.strip()}; name the preset, the model.* "
            "keys and the tokenizer that it was trained with"
        ) from error
