"""The random generators of a run as plain JSON values, and back."""

import base64
import random
from typing import Any

import numpy as np
import torch

from trainer.device.device import Device, default_generator_state, set_default_generator_state


def capture(device: Device, noise: torch.Generator) -> dict[str, Any]:
    """Return the states of python, numpy, torch, the device and the phase noise."""
    version, internal, gauss = random.getstate()
    name, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    tensors = default_generator_state(device) | {"noise": noise.get_state()}
    return {
        "python": [version, list(internal), gauss],
        "numpy": [str(name), _text(np.asarray(keys).tobytes()), int(position), int(has_gauss), float(cached)],
        **{key: _text(state.numpy().tobytes()) for key, state in tensors.items()},
    }


def restore(device: Device, noise: torch.Generator, states: dict[str, Any]) -> None:
    """Set every generator to what `capture` returned."""
    version, internal, gauss = states["python"]
    random.setstate((version, tuple(internal), gauss))
    name, keys, *rest = states["numpy"]
    np.random.set_state((name, np.frombuffer(_bytes(keys), dtype=np.uint32), *rest))
    tensors: dict[str, Any] = {key: _tensor(states[key]) for key in ("torch", "device") if key in states}
    set_default_generator_state(device, tensors)
    noise.set_state(_tensor(states["noise"]))


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)


def _tensor(text: str) -> torch.Tensor:
    return torch.frombuffer(bytearray(_bytes(text)), dtype=torch.uint8)
