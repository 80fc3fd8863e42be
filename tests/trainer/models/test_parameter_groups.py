"""What weight decay may touch: matrices, and omega_0 only when the published behaviour is asked for."""

import pytest

from tests.trainer.models.texts import KINDS, small


def decayed(kind: str, decay_omega: bool) -> set[str]:
    model = small(kind)
    groups = model.parameter_groups(0.1, decay_omega=decay_omega)
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0]
    ids = [{id(parameter) for parameter in group["params"]} for group in groups]
    assert ids[0] | ids[1] == {id(parameter) for parameter in model.parameters()}
    assert not ids[0] & ids[1]
    return {name for name, parameter in model.named_parameters() if id(parameter) in ids[0]}


@pytest.mark.parametrize("kind", KINDS)
def test_biases_norms_embeddings_and_omega_are_not_decayed(kind: str) -> None:
    names = decayed(kind, decay_omega=False)
    assert names
    assert not [n for n in names if n.endswith((".bias", ".omega")) or "norm" in n or "embedding" in n]


def test_a_switch_decays_omega_alone_in_addition() -> None:
    more = decayed("kssm-v3", decay_omega=True) - decayed("kssm-v3", decay_omega=False)
    assert more == {"blocks.0.bank.omega", "blocks.1.bank.omega"}
