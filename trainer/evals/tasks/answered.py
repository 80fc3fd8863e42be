"""What a model answers at the scored positions of sequences."""

from typing import Any

import numpy as np
import torch

from trainer.data.tasks.task import Ids, Mask
from trainer.device.device import Device
from trainer.models import LanguageModel

BATCH = 16


@torch.no_grad()
def answers(model: LanguageModel[Any], device: Device, inputs: Ids, mask: Mask) -> Ids:
    """Return the likeliest token at each scored position, in the order of `targets[mask]`."""
    model.eval()
    found = []
    for begin in range(0, len(inputs), BATCH):
        part = slice(begin, begin + BATCH)
        hidden = model.features(torch.from_numpy(inputs[part]).to(device.place)).hidden
        where = torch.from_numpy(mask[part]).to(device.place)
        found.append(model.head(hidden[where]).argmax(-1).cpu().numpy())
    return np.concatenate(found)
