"""What a token takes is what torch counts; a peak is told where the maker's figure is known."""

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from trainer.config.model import ModelConfig
from trainer.device.peak_speed import peak_tflops
from trainer.loop.speed_of_light import flop_per_token
from trainer.models import build
from trainer.models.forms import small_kinds

VOCAB, CONTEXT, BATCH = 64, 32, 2


def counted(model: ModelConfig) -> tuple[float, float]:
    """Operations a token: by torch's own count of a pass forward and backward, and by ours."""
    made = build(model, VOCAB)
    tokens = torch.randint(VOCAB, (BATCH, CONTEXT))
    plain = sdpa_kernel(SDPBackend.MATH)  # the fused one is not counted on a CPU
    with plain, FlopCounterMode(display=False) as counter:
        torch.autograd.backward(made.loss(tokens, tokens).total)
    return counter.get_total_flops() / tokens.numel(), flop_per_token(made, model, CONTEXT)


@pytest.mark.parametrize("kind", sorted(small_kinds()))
def test_our_count_is_that_of_the_matrix_products(kind: str) -> None:
    torchs, ours = counted(small_kinds()[kind])
    assert ours == pytest.approx(torchs, rel=0.12)


def test_peaks_are_those_of_the_arithmetic_that_is_used() -> None:
    h200 = {"name": "NVIDIA H200"}
    assert peak_tflops(h200, "bf16", tf32=True) == 989.4
    assert peak_tflops(h200, "off", tf32=True) == 494.7
    assert peak_tflops(h200, "off", tf32=False) is None
    assert peak_tflops({"name": "NVIDIA H100 80GB HBM3"}, "bf16", True) == 989.4
    assert peak_tflops({"name": "NVIDIA H100 PCIe"}, "bf16", True) == 756.0
    assert peak_tflops({"name": "NVIDIA A100-SXM4-80GB"}, "bf16", True) == 312.0
    assert peak_tflops({"name": "NVIDIA L4"}, "bf16", True) == 121.0
    assert peak_tflops({"name": "NVIDIA L40S"}, "bf16", True) == 362.0
    assert peak_tflops({"name": "Tesla T4"}, "fp16", True) == 65.0
    assert peak_tflops({"name": "a card of tomorrow"}, "bf16", True) is None
    assert peak_tflops({}, "off", True) is None
