"""The published equations, against the counts and the oddities that were published with them."""

import pytest
import torch

from trainer.models import create
from trainer.models.published import PublishedV1, PublishedV2, PublishedV3
from trainer.models.published.phases import kuramoto_step, mean_harmonics, plain_mean_harmonics

VOCABULARY = 31


def small(preset: str) -> torch.nn.Module:
    torch.manual_seed(3)
    return create(preset, VOCABULARY, dim=32, layers=2, oscillators=24, group=24, harmonics=4).eval()


@pytest.mark.parametrize(
    ("preset", "vocabulary", "count"),
    [
        ("kssm-v1-original", 65, 48_833),
        ("kssm-v2-original", 100_277, 28_305_161),
        ("kssm-v3-original", 100_277, 46_246_722),
        ("kssm-v3-monostable", 100_277, 46_246_722),
    ],
)
def test_the_parameters_are_as_many_as_published(preset: str, vocabulary: int, count: int) -> None:
    with torch.device("meta"):
        assert create(preset, vocabulary).parameter_count() == count


@pytest.mark.parametrize("preset", ["kssm-v1-original", "kssm-v2-original", "kssm-v3-original"])
def test_a_token_is_seen_at_its_own_position_only(preset: str) -> None:
    model = small(preset)
    if isinstance(model, PublishedV3):
        model.noise_generator = torch.Generator()
    tokens = torch.randint(VOCABULARY, (1, 20))
    other = tokens.clone()
    other[0, 10] = (tokens[0, 10] + 1) % VOCABULARY
    scores = []
    for text in (tokens, other):
        if isinstance(model, PublishedV3) and model.noise_generator is not None:
            model.noise_generator.manual_seed(1)  # its noise is never off: the same draw for both
        scores.append(model(text).logits[0])
    moved = (scores[0] != scores[1]).any(-1)
    assert moved.nonzero().flatten().tolist() == [10]


def test_harmonics_by_recurrence_are_those_of_the_materialised_form_and_so_are_their_gradients() -> None:
    theta = torch.randn(3, 5, 24, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(2, 3, 5, 8, dtype=torch.float64)
    ours, plain = mean_harmonics(theta, 8), plain_mean_harmonics(theta, 8)
    assert torch.allclose(ours, plain, atol=1e-12)
    slope, expected = (torch.autograd.grad((planes * weight).sum(), theta)[0] for planes in (ours, plain))
    assert torch.allclose(slope, expected, atol=1e-12)
    wrong = torch.autograd.grad((mean_harmonics(theta, 7) * weight[..., :7]).sum(), theta)[0]
    assert not torch.allclose(wrong, expected, atol=1e-6)


def test_the_published_number_of_harmonics_is_right_in_float32() -> None:
    theta = torch.linspace(-4, 4, 192).repeat(2, 3, 1) + torch.randn(2, 3, 1)
    theta[0, 0] = 0.001 * torch.randn(192)  # where the recurrence is at its worst
    exact = plain_mean_harmonics(theta.double(), 32)
    assert torch.allclose(mean_harmonics(theta, 32).double(), exact, atol=1e-5)
    assert not torch.allclose(mean_harmonics(theta, 32)[..., :31].double(), exact[..., 1:], atol=1e-2)


def test_one_step_is_the_kuramoto_step() -> None:
    theta = torch.randn(2, 3, 24, dtype=torch.float64)
    mean = torch.exp(1j * theta).mean(-1, keepdim=True)
    expected = theta + 1.7 * mean.abs() * torch.sin(mean.angle() - theta)
    assert torch.allclose(kuramoto_step(theta, 1.7), expected, atol=1e-12)


def test_forcing_R_in_v2_changes_next_to_nothing_and_in_v1_it_does() -> None:
    tokens = torch.randint(VOCABULARY, (2, 12))
    v1, v2 = small("kssm-v1-original"), small("kssm-v2-original")
    assert isinstance(v1, PublishedV1)
    assert isinstance(v2, PublishedV2)
    change = {
        name: (model.forced(tokens, 0.9) - model.forced(tokens, 0.1)).abs().mean()
        / model(tokens).logits.std()
        for name, model in (("v1", v1), ("v2", v2))
    }
    assert change["v2"] < 1e-3
    assert change["v1"] > 1e-2


def test_v3_is_noisy_in_evaluation_and_starts_with_R_at_its_noise_floor() -> None:
    torch.manual_seed(0)
    model = create("kssm-v3-original", VOCABULARY).eval()
    tokens = torch.randint(VOCABULARY, (1, 32))
    first, second = model(tokens), model(tokens)
    assert (first.logits - second.logits).abs().mean() > 0.1
    assert 0.005 < float(first.R.mean()) < 0.03
    assert first.u is not None
    assert float((first.u <= 0.1).float().mean()) == pytest.approx(0.45, abs=0.1)


def test_only_the_monostable_form_leaves_the_bounds_of_u() -> None:
    tokens = torch.randint(VOCABULARY, (2, 40))
    for preset, leaves in (("kssm-v3-original", False), ("kssm-v3-monostable", True)):
        u = small(preset)(tokens).u
        assert bool(((u < 0.1) | (u > 10)).any()) is leaves


def test_everything_is_decayed_as_published_and_omega_only_when_asked() -> None:
    model = create("kssm-v3-original", VOCABULARY, dim=32, layers=2, oscillators=24, group=24, harmonics=4)
    for asked in (True, False):
        groups = model.parameter_groups(0.1, decay_omega=asked)
        decayed = {id(p) for group in groups if group["weight_decay"] for p in group["params"]}
        left = {name for name, p in model.named_parameters() if id(p) not in decayed}
        assert left == (set() if asked else {f"blocks.{layer}.bank.omega" for layer in range(2)})


def test_the_form_of_one_token_agrees_with_the_parallel_one_and_ends_with_the_positions() -> None:
    model = create("kssm-v2-original", VOCABULARY, dim=32, layers=2, oscillators=24, group=24, positions=8)
    model.eval()
    tokens = torch.randint(VOCABULARY, (2, 8))
    state, rows = model.init_state(2), []
    for column in tokens.unbind(1):
        answer, state = model.step(column, state)
        rows.append(answer.logits)
    assert torch.allclose(torch.stack(rows, 1), model(tokens).logits, atol=1e-5)
    with pytest.raises(ValueError, match=r"model\.positions"):
        model.step(tokens[:, 0], state)
