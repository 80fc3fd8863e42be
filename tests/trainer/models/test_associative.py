"""What is written under a key is read with it, by both memories; and a model that has one."""

import pytest
import torch
from torch import Tensor

from tests.trainer.models.texts import small, text
from trainer.models.associative import CHUNK, MEMORIES

WIDTH = 256


def draws(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def share(read: Tensor, value: Tensor) -> float:
    """How much of a value is in what was read: 1 if it is all there."""
    return float((read * value).sum() / value.square().sum())


@pytest.mark.parametrize("kind", MEMORIES)
def test_a_key_reads_what_was_written_under_it_and_another_key_does_not(kind: str) -> None:
    key, value = draws(1, 3, WIDTH), draws(1, 3, WIDTH, seed=1)
    query = torch.cat((torch.zeros(1, 2, WIDTH), key[:, :1]), dim=1)
    read = MEMORIES[kind].read_all(key, value, query)[:, 2]
    assert share(read, value[:, 0]) == pytest.approx(1, abs=0.3)
    assert abs(share(read, value[:, 1])) < 0.3
    stranger = torch.cat((torch.zeros(1, 2, WIDTH), draws(1, 1, WIDTH, seed=2)), dim=1)
    assert abs(share(MEMORIES[kind].read_all(key, value, stranger)[:, 2], value[:, 0])) < 0.3


def test_a_holographic_pair_alone_is_read_as_it_was_written() -> None:
    key, value = draws(2, 1, WIDTH), draws(2, 1, WIDTH, seed=1)
    assert torch.allclose(MEMORIES["hrr"].read_all(key, value, key), value, atol=1e-5)


@pytest.mark.parametrize("kind", MEMORIES)
@pytest.mark.parametrize("tokens", [1, CHUNK, 2 * CHUNK + 7])
def test_all_tokens_at_once_are_one_after_another(kind: str, tokens: int) -> None:
    memory = MEMORIES[kind]
    key, value, query = (draws(2, tokens, 16, seed=seed) for seed in range(3))
    held, reads = memory.start(2, 16, torch.device("cpu")), []
    for at in range(tokens):
        read, held = memory.read_next(held, key[:, at], value[:, at], query[:, at])
        reads.append(read)
    assert torch.allclose(memory.read_all(key, value, query), torch.stack(reads, 1), atol=1e-4)


@pytest.mark.parametrize("start", ["identity", "random"])
@pytest.mark.parametrize("kind", MEMORIES)
def test_a_model_steps_as_it_reads_whole_texts(kind: str, start: str) -> None:
    model, tokens = small("memory", memory=kind, start=start, slots=32), text(2, 100)
    state, logits = model.init_state(2), []
    for at in range(tokens.shape[1]):
        out, state = model.step(tokens[:, at], state)
        logits.append(out.logits)
    with torch.no_grad():
        assert torch.allclose(model(tokens).logits, torch.stack(logits, 1), atol=1e-5)


@pytest.mark.parametrize("kind", MEMORIES)
def test_a_text_is_answered_alike_alone_and_among_sixteen(kind: str) -> None:
    model, tokens = small("memory", memory=kind), text(16, 96)
    with torch.no_grad():
        together = model(tokens).logits
        alone = torch.cat([model(one.unsqueeze(0)).logits for one in tokens])
    assert (together - alone).abs().max() <= 1e-5
