"""The optimizers, by name: each updates on the device, and changes nothing where `found_inf` is 1.

`torch.optim.Optimizer` does what is said here and imports torch's compiler when one is made: a third of the
CPU of a short run that compiles nothing (`python -m benchmarks trainer_startup`, beside an import of torch).
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

from trainer.config.schema import OptimConfig
from trainer.models import LanguageModel

Groups = Sequence[Mapping[str, Any]]
EPS = 1e-8
MOMENTUM = 0.95
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
"""Coefficients of the quintic iteration of Muon (Jordan et al. 2024): fast, and right within 30 %."""
ROUNDS = 5
LIKE_ADAMW = 0.2
"""A step of AdamW has about this root mean square (Liu et al. 2025), so that one rate serves both."""


class GroupOptimizer:
    """Groups of parameters, each with its settings, and what is remembered of each parameter.

    Attributes:
        param_groups: `params`, `lr` and the rest that the update wants, a dictionary a group.
        state: parameter -> its moments.
        found_inf: float32 scalar on the device, 1 where a step is to change nothing; None: it never is.
    """

    def __init__(self, groups: Groups, **settings: Any) -> None:
        """`settings`: for groups that do not have their own."""
        self.param_groups: list[dict[str, Any]] = [settings | {**group} for group in groups]
        for group in self.param_groups:
            group["params"] = list(group["params"])
        self.state: defaultdict[Tensor, dict[str, Tensor]] = defaultdict(dict)
        self.found_inf: Tensor | None = None

    def step(self) -> None:
        """Update every parameter that has a gradient."""
        raise NotImplementedError

    def zero_grad(self) -> None:
        """Let go of all gradients."""
        for group in self.param_groups:
            for one in group["params"]:
                one.grad = None

    def state_dict(self) -> dict[str, Any]:
        """What is remembered, by the place of each parameter among all: as torch's optimizers tell it."""
        places = {id(one): place for place, one in enumerate(self._parameters())}
        state = {places[id(one)]: moments for one, moments in self.state.items()}
        groups = [
            group | {"params": [places[id(one)] for one in group["params"]]} for group in self.param_groups
        ]
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, stored: Mapping[str, Any]) -> None:
        """Take over what `state_dict` told of the same parameters."""
        parameters = self._parameters()
        for group, before in zip(self.param_groups, stored["param_groups"], strict=True):
            group.update({name: value for name, value in before.items() if name != "params"})
        self.state.clear()
        for place, moments in stored["state"].items():
            one = parameters[place]
            self.state[one] = {name: value.to(one.device) for name, value in moments.items()}

    def _parameters(self) -> list[Tensor]:
        return [one for group in self.param_groups for one in group["params"]]


class AdamW(GroupOptimizer):
    """Decoupled weight decay (Loshchilov and Hutter 2019), to the bit as `torch.optim.AdamW(fused=True)`."""

    def __init__(self, groups: Groups, lr: float, betas: tuple[float, float]) -> None:
        super().__init__(groups, lr=lr, betas=betas, weight_decay=0.0)

    @torch.no_grad()
    def step(self) -> None:
        """See `GroupOptimizer`."""
        for group in self.param_groups:
            updated = [one for one in group["params"] if one.grad is not None]
            moments = [self.state[one] or self._begin(one) for one in updated]
            beta1, beta2 = group["betas"]
            adamw(
                updated,
                [one.grad for one in updated],
                [one["exp_avg"] for one in moments],
                [one["exp_avg_sq"] for one in moments],
                [],
                [one["step"] for one in moments],
                fused=True,
                found_inf=self.found_inf,
                amsgrad=False,
                beta1=beta1,
                beta2=beta2,
                lr=group["lr"],
                weight_decay=group["weight_decay"],
                eps=EPS,
                maximize=False,
            )

    def _begin(self, parameter: Tensor) -> dict[str, Tensor]:
        self.state[parameter] = fresh_state({}, parameter)
        return self.state[parameter]


class Muon(GroupOptimizer):
    """Momentum of matrices, orthogonalised; everything else goes to an AdamW that shares groups and state."""

    def __init__(self, matrices: list[nn.Parameter], rest: AdamW, lr: float, weight_decay: float) -> None:
        self.rest = rest
        super().__init__([{"params": matrices, "muon": True}], lr=lr, weight_decay=weight_decay)
        self.param_groups += rest.param_groups
        rest.state = self.state

    @torch.no_grad()
    def step(self) -> None:
        """See `GroupOptimizer`."""
        group = self.param_groups[0]
        lr, decay = group["lr"], group["weight_decay"]
        good = torch.ones(()) if self.found_inf is None else 1.0 - self.found_inf
        for one in group["params"]:
            if one.grad is None:
                continue
            momentum: Tensor = self.state[one]["momentum"]
            gradient = torch.where(good > 0, one.grad, 0.0)
            momentum.lerp_(gradient, (1 - MOMENTUM) * good)
            update = orthogonalised(gradient.lerp(momentum, MOMENTUM))
            scale = LIKE_ADAMW * max(one.shape) ** 0.5
            one.mul_(1 - lr * decay * good).sub_(update * (lr * scale * good))
        self.rest.found_inf = self.found_inf
        self.rest.step()


def orthogonalised(matrix: Tensor) -> Tensor:
    """Return roughly `U V^T` of `matrix = U S V^T`, `[M, N]`: every singular value between 0.7 and 1.2."""
    a, b, c = NEWTON_SCHULZ
    x: Tensor
    with torch.autocast(matrix.device.type, enabled=False):
        x = matrix.float() / (matrix.float().norm() + 1e-7)
        if tall := x.shape[0] > x.shape[1]:
            x = x.T
        for _ in range(ROUNDS):
            gram = x @ x.T
            x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if tall else x


def _adamw(model: LanguageModel[Any], optim: OptimConfig) -> AdamW:
    groups = model.parameter_groups(optim.weight_decay, optim.decay_omega)
    return AdamW(groups, lr=optim.lr, betas=(optim.beta1, optim.beta2))


def _muon(model: LanguageModel[Any], optim: OptimConfig) -> Muon:
    groups: Groups = model.parameter_groups(optim.weight_decay, optim.decay_omega)
    matrices = [
        one for name, one in model.named_parameters() if one.dim() == 2 and name.startswith("blocks.")
    ]
    taken = {id(one) for one in matrices}
    rest = [{**group, "params": [one for one in group["params"] if id(one) not in taken]} for group in groups]
    inner = AdamW([group for group in rest if group["params"]], lr=optim.lr, betas=(optim.beta1, optim.beta2))
    return Muon(matrices, inner, optim.lr, optim.weight_decay)


OPTIMIZERS: Mapping[str, Callable[[LanguageModel[Any], OptimConfig], GroupOptimizer]] = {
    "adamw": _adamw,
    "muon": _muon,
}


def fresh_state(group: Mapping[str, Any], parameter: Tensor) -> dict[str, Tensor]:
    """Return the moments of a parameter before its first update."""
    if group.get("muon"):
        return {"momentum": torch.zeros_like(parameter, memory_format=torch.preserve_format)}
    return {
        "step": torch.zeros((), dtype=torch.float32, device=parameter.device),
        "exp_avg": torch.zeros_like(parameter, memory_format=torch.preserve_format),
        "exp_avg_sq": torch.zeros_like(parameter, memory_format=torch.preserve_format),
    }
