"""The loss seam of the training loop, autocast, and noise."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from tests.trainer.models.texts import KINDS, VOCAB, small, text
from trainer.models import U_HIGH, U_LOW
from trainer.models.cross_entropy import head_cross_entropy
from trainer.models.kssm import KuramotoSSM


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_is_the_cross_entropy_of_the_logits(kind: str) -> None:
    model, tokens, targets = small(kind), text(2, 40), text(2, 40, seed=9)
    answer = model.loss(tokens, targets)
    whole = model(tokens)
    expected = cross_entropy(whole.logits.flatten(0, 1), targets.flatten())
    assert torch.allclose(answer.ce, expected, atol=1e-6)
    assert torch.allclose(answer.total, expected + model.config.reg * whole.penalty, atol=1e-6)
    assert answer.total.requires_grad
    assert not answer.ce.requires_grad


def test_statistics_are_those_of_the_positions() -> None:
    model, tokens = small(), text(2, 40)
    answer, whole = model.loss(tokens, tokens), model(tokens)
    assert torch.allclose(answer.R_mean, whole.R.mean())
    assert torch.allclose(answer.coherence_mean, whole.coherence.mean())
    assert whole.u is not None
    assert torch.equal(answer.u_median, whole.u.median())
    assert torch.allclose(answer.u_low_share, (whole.u <= U_LOW).float().mean())
    assert torch.allclose(answer.u_high_share, (whole.u >= U_HIGH).float().mean())


@pytest.mark.parametrize("kind", ["gpt", "gated"])
def test_a_model_without_oscillators_says_nan_not_zero(kind: str) -> None:
    answer = small(kind).loss(text(1, 8), text(1, 8))
    assert torch.isnan(torch.stack((answer.R_mean, answer.coherence_mean, answer.u_median))).all()


def test_cross_entropy_in_chunks_equals_the_whole_and_so_do_its_gradients(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draw = torch.Generator().manual_seed(0)
    hidden, weight = torch.randn(50, 8, generator=draw), torch.randn(VOCAB, 8, generator=draw)
    targets = text(1, 50)[0]
    results = []
    for chunk in (2**22, 7 * VOCAB):
        monkeypatch.setattr("trainer.models.cross_entropy.CHUNK_LOGITS", chunk)
        leaves = hidden.clone().requires_grad_(), weight.clone().requires_grad_()
        loss = head_cross_entropy(*leaves, targets)
        results.append((loss, *torch.autograd.grad(3.0 * loss, leaves)))
    for whole, chunked in zip(*results, strict=True):
        assert torch.allclose(whole, chunked, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_bfloat16_autocast_trains_and_keeps_times_and_angles_in_float32(kind: str) -> None:
    model, tokens = small(kind), text(2, 64)
    seen: list[torch.dtype] = []
    if kind == "kssm-v3":
        bank = model.blocks[0].bank  # type: ignore[union-attr, index]
        bank.drive.register_forward_hook(lambda module, inputs, out: seen.append(out.dtype))
    with torch.autocast("cpu", torch.bfloat16):
        answer = model.loss(tokens, tokens)
    answer.total.backward()  # type: ignore[no-untyped-call]
    assert torch.allclose(answer.ce, model.loss(tokens, tokens).ce, atol=0.02)
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
    assert set(seen) <= {torch.float32}


def test_every_parameter_receives_a_gradient() -> None:
    model = small()
    model.loss(text(2, 64), text(2, 64, seed=2)).total.backward()  # type: ignore[no-untyped-call]
    silent = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert silent == []


def test_noise_comes_from_the_named_generator_and_in_training_only() -> None:
    model, tokens = small(noise=0.3), text(1, 32)
    assert isinstance(model, KuramotoSSM)
    quiet = model(tokens).logits
    assert torch.equal(quiet, model(tokens).logits)
    model.train()
    with pytest.raises(ValueError, match="noise_generator"):
        model(tokens)
    answers = []
    for seed in (5, 5, 6):
        model.noise_generator = torch.Generator().manual_seed(seed)
        answers.append(model(tokens).logits)
    assert torch.equal(answers[0], answers[1])
    assert not torch.equal(answers[0], answers[2])
    assert not torch.equal(answers[0], quiet)


def test_training_and_evaluation_agree_bit_for_bit_without_noise() -> None:
    model, tokens = small(), text(1, 32)
    quiet = model(tokens).logits
    assert torch.equal(quiet, model.train()(tokens).logits)
