"""Whose weights they are, told by their names; and what those are called here.

The names are those of K-SSM v1, v2 and v3 as published, of nanoGPT, and of GPT-2 as Hugging Face has it. A
shape is read off the weights; what they do not tell (heads, a clamp) is never guessed.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from trainer.config.config_error import ConfigError
from trainer.job.outcome import RefusedError

Tensors = Mapping[str, Tensor]
PREFIXES = ("_orig_mod.", "module.")
V3_KINDS = ("kssm-v3-original", "kssm-v3-monostable")
V1 = {
    "embed": "embedding", "to_oscillators": "drive", "oscillators.omega": "omega",
    "oscillators.coupling": "pairwise", "process.0": "rise", "process.2": "inner",
    "to_logits": "to_vocabulary",
}  # fmt: skip
OUTER = {"embed": "embedding", "pos_embed": "places.table.weight", "final_norm": "norm"}
V2 = {
    "norm1": "phase_norm", "oscillators.omega": "omega", "oscillators.to_freq": "drive",
    "oscillators.coupling_mod": "coupling", "oscillators.phase_to_hidden": "out", "norm2": "ffn_norm",
    "ffn.0": "rise", "ffn.3": "fall",
}  # fmt: skip
V3 = {
    "norm1": "bank_norm", "oscillators.to_params": "bank.ten", "oscillators.omega_0": "bank.omega",
    "oscillators.delta_param": "bank.noise", "oscillators.readout": "bank.out", "norm2": "ffn_norm",
    "ffn.0": "rise", "ffn.2": "fall",
}  # fmt: skip
GPT_OUTER = {"transformer.wte": "embedding", "transformer.wpe": "places.table", "transformer.ln_f": "norm"}
GPT = {
    "ln_1": "attention_norm", "attn.c_attn": "attention.project", "attn.c_proj": "attention.out",
    "ln_2": "ffn_norm", "mlp.c_fc": "ffn.rise", "mlp.c_proj": "ffn.fall",
}  # fmt: skip
LAYERS_OF_GPT2 = re.compile(
    r"transformer\.h\.\d{1,4}\.(attn\.c_attn|attn\.c_proj|mlp\.c_fc|mlp\.c_proj)\.weight"
)


@dataclass(frozen=True, slots=True)
class ForeignModel:
    """A model of somebody else's in our names.

    Attributes:
        program: whose it is, for people.
        model: fields of `ModelConfig`.
        weights: by our names; some may be views of the file.
        optional: names that are zero where the file lacks them.
        notes: what was taken for granted.
    """

    program: str
    model: Mapping[str, Any]
    vocab_size: int
    weights: Tensors
    optional: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """What weights do not tell and an operator may: attention heads, kind, GELU."""

    heads: int = 0
    kind: str = ""
    gelu: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)


def own_names(tensors: Tensors, told: Told) -> ForeignModel:
    """Return whose weights these are, with their names and shape in ours.

    Raises:
        RefusedError: nobody's that is known, or with more in them than such a model has.
        ConfigError: something must be told by an option.
    """
    plain = {_bare(key): tensor for key, tensor in tensors.items()}
    for sign, reader in READERS.items():
        if sign in plain:
            try:
                return reader(plain, told)
            except (KeyError, IndexError, ValueError) as error:
                raise RefusedError(
                    f"weights like those of {reader.__name__[1:]}, but not laid out so: {str(error)[:120]}"
                ) from error
    listed = ", ".join(sorted(plain)[:4])[:200] or "nothing"
    raise RefusedError(
        f"no model that is known here: K-SSM v1, v2, v3, nanoGPT and GPT-2 are; its weights begin with "
        f"{listed}"
    )


def _kssm_v1(found: Tensors, _: Told) -> ForeignModel:
    units = found["oscillators.omega"].shape[0]
    model = {
        "kind": "kssm-v1-original", "dim": found["embed.weight"].shape[1], "layers": 1, "oscillators": units,
        "group": max(2, min(units, 4096)), "harmonics": found["process.0.weight"].shape[1] // 3, "u": "off",
        "reg": 0.0,
    }  # fmt: skip
    weights = _renamed(found, V1, {}, "")
    return ForeignModel(
        "K-SSM v1", model, found["embed.weight"].shape[0], weights, notes=("K = 2, as published",)
    )


def _kssm_v2(found: Tensors, _: Told) -> ForeignModel:
    outer = {**OUTER, "R_aggregator": "aggregator"}
    model = {**_shape(found, "omega"), "kind": "kssm-v2-original", "u": "off", "reg": 0.0, "dropout": 0.1}
    notes = ("K up to 2, dropout 0.1 in training, as published",)
    return ForeignModel("K-SSM v2", model, *_tied(found, outer, V2, "output_head"), notes=notes)


def _kssm_v3(found: Tensors, told: Told) -> ForeignModel:
    if told.kind not in V3_KINDS:
        raise ConfigError(
            f"these weights of K-SSM v3 do not tell whether u was clamped: say --as {V3_KINDS[0]} (it "
            f"was, to 0.1 .. 10) or --as {V3_KINDS[1]} (it was not)"
        )
    harmonics = found["blocks.0.oscillators.readout.weight"].shape[1] // 3
    model = {**_shape(found, "omega_0"), "kind": told.kind, "harmonics": harmonics, "u": "clamp", "reg": 0.5}
    vocab_size, weights = _tied(found, OUTER, V3, "output_head")
    weights = {key: one.reshape(()) if key.endswith(".noise") else one for key, one in weights.items()}
    return ForeignModel("K-SSM v3", model, vocab_size, weights)


def _gpt2(found: Tensors, told: Told) -> ForeignModel:
    """As Hugging Face lays GPT-2 out: a layer's weight is [in, out] there, and [out, in] in nanoGPT."""
    plain = {
        key if key.startswith(("transformer.", "lm_head.")) else f"transformer.{key}": one
        for key, one in found.items()
    }
    dim = plain["transformer.wte.weight"].shape[1]
    if plain["transformer.h.0.attn.c_attn.weight"].shape == (3 * dim, dim):
        return _nanogpt(plain, told)
    if not told.gelu:
        raise ConfigError(
            "these weights do not tell which GELU they were trained with: say --gelu tanh (gelu_new, GPT-2's "
            "own) or --gelu exact (gelu), as activation_function in their config.json has it"
        )
    turned = {key: one.t() if LAYERS_OF_GPT2.fullmatch(key) else one for key, one in plain.items()}
    return replace(_nanogpt(turned, told), program="GPT-2 of Hugging Face")


def _nanogpt(found: Tensors, told: Told) -> ForeignModel:
    named = told.arguments.get("n_head")
    heads = told.heads or (named if type(named) is int else 0)
    if not heads:
        raise ConfigError("these weights do not tell how many attention heads they have: say --heads N")
    table, gelu = found["transformer.wte.weight"], told.gelu or "exact"
    model = {
        "kind": "gpt", "dim": table.shape[1], "layers": _layers(found, "transformer.h"), "heads": heads,
        "ffn": found["transformer.h.0.mlp.c_fc.weight"].shape[0] / table.shape[1], "places": "learned",
        "gelu": gelu, "positions": found["transformer.wpe.weight"].shape[0], "u": "off", "reg": 0.0,
    }  # fmt: skip
    kept = {key: one for key, one in found.items() if not re.fullmatch(r".*\.attn\.(masked_)?bias", key)}
    weights = _tied(kept, GPT_OUTER, GPT, "lm_head", "transformer.h")
    notes = (
        f"{heads} heads, {'as told' if told.heads else 'as the file says'}",
        f"GELU {gelu}",
    )
    return ForeignModel("nanoGPT", model, *weights, optional=True, notes=notes)


Reader = Callable[[Tensors, Told], ForeignModel]
READERS: Mapping[str, Reader] = {
    "blocks.0.oscillators.to_params.weight": _kssm_v3,
    "blocks.0.oscillators.phase_to_hidden.weight": _kssm_v2,
    "to_oscillators.weight": _kssm_v1,
    "transformer.h.0.attn.c_attn.weight": _gpt2,
    "h.0.attn.c_attn.weight": _gpt2,
}
"""By a weight that no other of them has."""


def _shape(found: Tensors, omega: str) -> dict[str, Any]:
    dim = found["embed.weight"].shape[1]
    units = found[f"blocks.0.oscillators.{omega}"].shape[0]
    return {
        "dim": dim, "layers": _layers(found, "blocks"), "oscillators": units, "harmonics": 8,
        "group": max(2, min(units, 4096)), "ffn": found["blocks.0.ffn.0.weight"].shape[0] / dim,
        "positions": found["pos_embed"].shape[1],
    }  # fmt: skip


def _tied(
    found: Tensors, outer: Mapping[str, str], inner: Mapping[str, str], head: str, blocks: str = "blocks"
) -> tuple[int, Tensors]:
    """Return the size of the vocabulary, and the weights in our names; the head is the embedding."""
    embedding = "transformer.wte.weight" if head == "lm_head" else "embed.weight"
    rest = dict(found)
    own = rest.pop(f"{head}.weight", None)
    if own is not None and not torch.equal(own, found[embedding]):
        raise RefusedError(
            f"{head}.weight is not the embedding: a model with a head of its own has no form here"
        )
    return found[embedding].shape[0], _renamed(rest, outer, inner, blocks)


def _renamed(found: Tensors, outer: Mapping[str, str], inner: Mapping[str, str], blocks: str) -> Tensors:
    renamed, unknown = dict[str, Tensor](), list[str]()
    for key, tensor in found.items():
        block = re.fullmatch(rf"{re.escape(blocks)}\.(\d{{1,4}})\.(.+)", key) if blocks else None
        names, rest = (inner, block[2]) if block else (outer, key)
        stem, _, leaf = rest.rpartition(".")
        own = names.get(rest) or (f"{names[stem]}.{leaf}" if stem in names else "")
        if not own:
            unknown.append(key)
            continue
        squeezed = tensor.squeeze(0) if key == "pos_embed" else tensor
        renamed[f"blocks.{int(block[1])}.{own}" if block else own] = squeezed
    if unknown:
        raise RefusedError(
            f"it has weights that such a model has not: {', '.join(sorted(unknown)[:5])[:200]}"
        )
    return renamed


def _layers(found: Tensors, blocks: str) -> int:
    numbers = (re.match(rf"{re.escape(blocks)}\.(\d{{1,4}})\.", key) for key in found)
    return 1 + max(int(one[1]) for one in numbers if one)


def _bare(key: str) -> str:
    for prefix in PREFIXES:
        key = key.removeprefix(prefix)
    return key
