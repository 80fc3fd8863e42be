"""What an exported model does alone: load itself, continue a text. `modeling.py` is made of it."""

import json
from collections.abc import Callable
from pathlib import Path

import torch

from trainer.config.model import ModelConfig
from trainer.data.tokenizers.tokenizer import ByteTokenizer as OwnTokenizer
from trainer.evals.drawing import Sampling, draw
from trainer.models.kssm import KuramotoSSM as OwnModel

CONFIG, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"


def load(folder: str | Path) -> tuple[OwnModel, OwnTokenizer]:
    """Return the model of this folder, ready to answer, and its tokenizer.

    Raises:
        OSError: a file of it is missing.
        RuntimeError: the weights are not those of the configuration.
    """
    from safetensors.torch import load_file

    path = Path(folder)
    config = json.loads((path / CONFIG).read_text(encoding="utf-8"))
    model = OwnModel(ModelConfig(**config["model"]), config["vocab_size"])
    model.load_state_dict(load_file(path / WEIGHTS))
    tokenizer = json.loads((path / TOKENIZER).read_text(encoding="utf-8"))
    known = {key: value for key, value in tokenizer.items() if key != "name"}
    return model.eval(), OwnTokenizer(**known)


@torch.no_grad()
def continue_text(
    model: OwnModel,
    tokenizer: OwnTokenizer,
    prompt: str,
    tokens: int = 200,
    temperature: float = 0.8,
    seed: int = 0,
    on_token: Callable[[bytes], None] = lambda _: None,
) -> bytes:
    """Return `tokens` tokens that continue `prompt`, as bytes; temperature 0 takes the likeliest."""
    generator, how = torch.Generator().manual_seed(seed), Sampling(temperature=temperature, seed=seed)
    state, continuation = model.init_state(1), b""
    ids = tokenizer.encode(prompt) or [0]
    for index in range(len(ids) + tokens - 1):
        out, state = model.step(torch.tensor([ids[index]]), state)
        if index == len(ids) - 1:
            ids.append(draw(out.logits[0].float(), how, generator))
            piece = tokenizer.decode(ids[-1:])
            continuation += piece
            on_token(piece)
    return continuation
