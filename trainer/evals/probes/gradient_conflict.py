"""Gradient warfare, measured: what CE and what the penalty would do to the weights of the banks."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

TINY = 1e-30


@dataclass(frozen=True)
class GradientConflict:
    """Both gradients on the weights of every bank, as the optimizer is given them.

    Attributes:
        ratio: length of the penalty's gradient, lambda included, over that of CE's.
        cosine: of the angle between them; below zero the penalty pulls against the text. 0 where either has
            no length.
        layer_ratio, layer_cosine: likewise for each bank alone, `[layers]`.
    """

    ratio: Tensor
    cosine: Tensor
    layer_ratio: Tensor
    layer_cosine: Tensor


def measure_warfare(banks: Sequence[nn.Module], ce: Tensor, weighted_penalty: Tensor) -> GradientConflict:
    """Derive both losses by the weights of the banks. No `.grad` is touched, and nothing waits.

    Args:
        banks: first layer first; at least one.
        ce: scalar; its graph is kept.
        weighted_penalty: lambda times the penalty, a scalar of the same graph, which is let go.
    """
    layers = [[one for one in bank.parameters() if one.requires_grad] for bank in banks]
    flat = [one for layer in layers for one in layer]
    text = torch.autograd.grad(ce, flat, retain_graph=True, materialize_grads=True)
    rule = torch.autograd.grad(weighted_penalty, flat, materialize_grads=True)
    products = torch.stack([_products(one, other) for one, other in zip(text, rule, strict=True)])
    parts = torch.split(products, [len(layer) for layer in layers])
    rows = torch.stack([part.sum(0) for part in parts])
    (ratio, cosine), (layer_ratio, layer_cosine) = _compare(rows.sum(0)), _compare(rows)
    return GradientConflict(ratio, cosine, layer_ratio, layer_cosine)


def _products(text: Tensor, rule: Tensor) -> Tensor:
    """Return `[text . text, rule . rule, text . rule]`."""
    one, other = text.flatten().float(), rule.flatten().float()
    return torch.stack((one @ one, other @ other, one @ other))


def _compare(products: Tensor) -> tuple[Tensor, Tensor]:
    """Return ratio and cosine of `[..., 3]`."""
    text, rule = products[..., 0].sqrt(), products[..., 1].sqrt()
    return rule / text, products[..., 2] / (text * rule).clamp(min=TINY)
