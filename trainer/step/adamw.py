"""AdamW over groups of parameters by torch's own fused kernel, and what every optimizer here has.

`torch.optim.Optimizer` does the same and imports torch's compiler when one is made: a third of the CPU of a
short run that compiles nothing (`python -m benchmarks trainer_startup`, beside an import of torch).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim.adamw import adamw

Groups = Sequence[Mapping[str, Any]]
EPS = 1e-8


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
        self.state[parameter] = adam_state(parameter)
        return self.state[parameter]


def adam_state(parameter: Tensor) -> dict[str, Tensor]:
    """Return the moments of a parameter before its first update."""
    return {
        "step": torch.zeros((), dtype=torch.float32, device=parameter.device),
        "exp_avg": torch.zeros_like(parameter, memory_format=torch.preserve_format),
        "exp_avg_sq": torch.zeros_like(parameter, memory_format=torch.preserve_format),
    }
