"""Texts sampled at several temperatures at once, and how much they repeat themselves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from trainer.data.tokenizers.tokenizer import Tokenizer
from trainer.device.device import Device
from trainer.evals.bootstrap import Interval, ratio_of_sums
from trainer.evals.interventions.document_scores import quiet
from trainer.evals.sections import Section
from trainer.models import LanguageModel

TEMPERATURES = (0.0, 0.5, 0.8, 1.0)
PROMPT = 32
"""Tokens of held-out text that a sample continues."""
GRAMS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Distinct:
    """Different n-grams of words over all of them, n = 1, 2, 3, mean over texts.

    Attributes:
        source: a temperature, or what it is to be compared with.
        words: mean words a text.
    """

    source: str
    distinct: tuple[Interval, ...]
    words: float
    example: str


@torch.no_grad()
def sample_texts(
    model: LanguageModel[Any],
    device: Device,
    prompts: Sequence[Sequence[int]],
    length: int,
    temperatures: Sequence[float],
    seed: int,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> list[list[list[int]]]:
    """Return, a temperature and a prompt, `length` tokens that continue it; all are drawn side by side.

    Args:
        prompts: of equal length, at least one token each.
        temperatures: 0 takes the likeliest.
    """
    quiet(model, seed)
    generator = torch.Generator("cpu").manual_seed(seed)
    given = torch.tensor(list(prompts) * len(temperatures), device=device.place)
    warmth = torch.tensor(temperatures).repeat_interleave(len(prompts)).unsqueeze(1)
    state = model.init_state(len(given))
    ids: list[torch.Tensor] = []
    begin = given.shape[1]
    for index in range(begin + length - 1):
        progress(index, begin + length - 1)
        out, state = model.step(given[:, index] if index < begin else ids[-1], state)
        if index >= begin - 1:
            scores = out.logits.float().cpu()
            shares = (scores / warmth.clamp(min=1e-6)).softmax(-1)
            drawn = torch.multinomial(shares, 1, generator=generator).squeeze(1)
            chosen = torch.where(warmth.squeeze(1) == 0, scores.argmax(-1), drawn)
            ids.append(chosen.to(device.place))
    texts = torch.stack(ids, 1).view(len(temperatures), len(prompts), length)
    found: list[list[list[int]]] = texts.tolist()
    return found


def distinct(source: str, texts: Sequence[bytes]) -> Distinct:
    """Count words between blanks; a text with fewer than n words has no n-grams and does not count for n."""
    split = [text.decode("utf-8", "replace").split() for text in texts]
    each = []
    for n in GRAMS:
        grams = [list(zip(*(words[shift:] for shift in range(n)), strict=False)) for words in split]
        shares = np.array([len(set(some)) / len(some) for some in grams if some], np.float64)
        each.append(ratio_of_sums(shares, np.ones_like(shares)) if len(shares) else _nothing())
    mean = sum(map(len, split)) / len(split)
    return Distinct(source, tuple(each), mean, texts[0].decode("utf-8", "replace"))


def repetition(
    model: LanguageModel[Any],
    device: Device,
    tokenizer: Tokenizer,
    group: Sequence[Section],
    count: int,
    length: int,
    seed: int,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> tuple[Distinct, ...]:
    """Continue the beginnings of `count` documents; the last row is how those documents go on themselves.

    A prompt takes at most half of a document, so that something is left to compare with.
    """
    long_enough = [section.tokens for section in group if len(section.tokens) >= PROMPT + length][:count]
    if not long_enough:
        long_enough = [section.tokens for section in group][:count]
    prompt = min(PROMPT, min(map(len, long_enough)) // 2)
    prompts = [tokens[:prompt].tolist() for tokens in long_enough]
    drawn = sample_texts(model, device, prompts, length, TEMPERATURES, seed, progress)
    rows = [
        distinct(f"{temperature:g}", [tokenizer.decode(ids) for ids in texts])
        for temperature, texts in zip(TEMPERATURES, drawn, strict=True)
    ]
    own = [tokenizer.decode(tokens[prompt : prompt + length].tolist()) for tokens in long_enough]
    return (*rows, distinct("held-out text", own))


def _nothing() -> Interval:
    return Interval(float("nan"), float("nan"), float("nan"), 0)
