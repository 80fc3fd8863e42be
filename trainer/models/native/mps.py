"""Metal's kernels on a Mac: in use only after they agreed there with the torch form of the CPU."""

import torch

from trainer.models.native.agreement import agreed
from trainer.models.native.library import serve_device
from trainer.models.native.metal import shaders


def enable_on_mps(place: torch.device) -> str:
    """Use Metal's kernels in this process from now on; return in words how well they agreed.

    Raises:
        NativeUnavailableError: torch has no MPS here, Metal refuses them, or they compute something else.
    """
    words = agreed(place, shaders.FORMS, "Metal")
    serve_device("mps", shaders.FORMS)
    return words
