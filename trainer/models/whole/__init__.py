"""The inner loops as torch operations on whole batches: few of them, without memory shared between steps.

For devices, where each operation is a launch, and for torch.compile, which makes one graph of them. On a CPU
`oscillators.py`, `order.py` and `gated.py` go text by text instead, through the cache of the processor.
"""

import torch
from torch import Tensor


def is_whole(tensor: Tensor) -> bool:
    """Whether a tensor like this one is worked as a whole: not on a CPU, or in a graph being compiled."""
    return tensor.device.type != "cpu" or torch.compiler.is_compiling()
