"""Triton's kernels on a CUDA device: in use only after they agreed there with the torch form of the CPU."""

import torch

from trainer.models.native.agreement import agreed
from trainer.models.native.build import NativeUnavailableError
from trainer.models.native.library import serve_device


def enable_on_cuda(place: torch.device) -> str:
    """Use Triton's kernels in this process from now on; return in words how well they agreed.

    Raises:
        NativeUnavailableError: no Triton, it cannot compile for this device, or it computes something else.
    """
    try:
        from trainer.models.native.gpu import launches
    except ImportError as error:
        raise NativeUnavailableError(f"Triton cannot be imported: {error}") from error
    words = agreed(place, launches.FORMS, "Triton")
    serve_device("cuda", launches.FORMS)
    return words
