"""An optimizer's moments by parameter name, so that they are readable without the order of the parameters."""

from collections.abc import Mapping

from torch import Tensor, nn

from trainer.step.optimizers import GroupOptimizer

MOMENTS = ("step", "exp_avg", "exp_avg_sq", "momentum")


def moments(optimizer: GroupOptimizer, named: Mapping[str, nn.Parameter]) -> dict[str, Tensor]:
    """Return `NAME.exp_avg`, `NAME.exp_avg_sq`, `NAME.step` (Muon: `NAME.momentum`) of what was updated."""
    return {
        f"{name}.{moment}": optimizer.state[parameter][moment].detach().contiguous()
        for name, parameter in named.items()
        for moment in MOMENTS
        if moment in optimizer.state.get(parameter, {})
    }


def set_moments(
    optimizer: GroupOptimizer, named: Mapping[str, nn.Parameter], stored: Mapping[str, Tensor]
) -> None:
    """Set what `moments` returned.

    Raises:
        KeyError: moments of a parameter that this model does not have.
    """
    for key, value in stored.items():
        name, moment = key.rsplit(".", 1)
        parameter = named[name]
        optimizer.state[parameter][moment] = value.to(parameter.device)
