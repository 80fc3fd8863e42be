"""The card of an exported model: what it is, how well it predicts beside counting, what nobody measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NOT_MEASURED = "not measured"
CARD = """---
license: apache-2.0
library_name: pytorch
tags: [language-model, {kind}]
---

# {title}

A {kind} language model of {parameters:,} parameters ({layers} layers of width {dim}), trained by Photinus
{version} for {step:,} steps on {tokens:,} tokens of `{source}`, cut by the `{tokenizer}` tokenizer into a
vocabulary of {vocab:,}.

```python
from modeling import load, continue_text  # torch and safetensors, nothing else

model, tokenizer = load(".")
print(continue_text(model, tokenizer, "The ").decode("utf-8", "replace"))
```

## How well it predicts

{scores}

n is the number of tokens or documents scored; intervals are of 95 %, over documents. Floors are what counting
n-grams of the training text achieves on the very tokens that the model is scored on.

## Controls

{controls}

## Where it comes from

| | |
|---|---|
| run and checkpoint | `{name}` |
| parent | `{parent}` |
| data fingerprint | `{fingerprint}` |
| tokenizer, SHA-256 | `{tokenizer_hash}` |
| weights, SHA-256 | `{weights_hash}` |
| context | {context} tokens |
| arithmetic of training | {device}, {autocast}, kernels {kernels} |

It continues text and does nothing else; what it says of the world is what its text made likely.
"""


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What a card is made of.

    Attributes:
        name: run and checkpoint.
        manifest: of the checkpoint, as plain values.
        evaluation: what `photinus-train evaluate --json` said of it, or nothing.
        controls: the same of models that it is compared with.
        weights_sha256: of the file of weights in the export.
    """

    name: str
    parameters: int
    manifest: Mapping[str, Any]
    evaluation: Mapping[str, Any] | None = None
    controls: Sequence[Mapping[str, Any]] = ()
    weights_sha256: str = ""


def model_card(facts: CardFacts) -> str:
    """Return the card, as Markdown."""
    raw = facts.manifest
    config = raw.get("config", {})
    model, data = config.get("model", {}), config.get("data", {})
    return CARD.format(
        title=facts.name,
        kind=model.get("kind", "unknown"),
        parameters=facts.parameters,
        layers=model.get("layers"),
        dim=model.get("dim"),
        version=raw.get("versions", {}).get("photinus", "unknown"),
        step=raw.get("step", 0),
        tokens=raw.get("tokens", 0),
        source=_source(str(data.get("source", "unknown"))),
        tokenizer=data.get("tokenizer", "unknown"),
        vocab=raw.get("vocab_size", 0),
        scores=_scores(facts),
        controls=_controls(facts.controls),
        name=facts.name,
        parent=raw.get("parent") or "none",
        fingerprint=raw.get("data_fingerprint", "unknown"),
        tokenizer_hash=raw.get("tokenizer", {}).get("sha256", "unknown"),
        weights_hash=facts.weights_sha256,
        context=config.get("context"),
        device=raw.get("device", "unknown"),
        autocast="float32" if raw.get("autocast") == "off" else raw.get("autocast", "unknown"),
        kernels=raw.get("kernels", "unknown"),
    )


def _source(source: str) -> str:
    """A text by its name: where it lay on the host that trained is nobody's business."""
    return source.rstrip("/").rpartition("/")[2]


def _scores(facts: CardFacts) -> str:
    raw, lines = facts.manifest, ["| | nats a token | interval | n |", "|---|---|---|---|"]
    if facts.evaluation is not None:
        scores = facts.evaluation["scores"]
        lines.append(_row("cross-entropy", scores["ce"]))
        lines += [_row(f"floor: {one['name']}", one["ce"]) for one in scores["floors"]]
        lines += [_row(f"below the {one['name']} floor by", one["below"]) for one in scores["floors"]]
        return "\n".join([*lines, "", f"Bits a byte: {_interval(scores['bits_per_byte'])}"])
    ce = raw.get("metrics", {}).get("val_ce")
    scored = raw.get("config", {}).get("eval", {}).get("tokens")
    value = f"{ce['value']:.4f}" if isinstance(ce, Mapping) else NOT_MEASURED
    count = f"at most {scored:,} tokens" if isinstance(ce, Mapping) and scored else "-"
    lines.append(f"| cross-entropy | {value} | {NOT_MEASURED} | {count} |")
    floors = raw.get("floors") or {}
    for name in ("unigram", "bigram", "trigram"):
        known = f"{floors[name]:.4f}" if name in floors else NOT_MEASURED
        lines.append(f"| floor: {name} | {known} | {NOT_MEASURED} | {count if name in floors else '-'} |")
    return "\n".join(lines)


def _controls(controls: Sequence[Mapping[str, Any]]) -> str:
    if not controls:
        return f"{NOT_MEASURED[0].upper()}{NOT_MEASURED[1:]}: no control was given with `--control`."
    lines = ["| control | nats a token | interval | n |", "|---|---|---|---|"]
    lines += [_row(f"{one['kind']}, step {one['step']:,}", one["scores"]["ce"]) for one in controls]
    return "\n".join(lines)


def _row(name: str, interval: Mapping[str, Any]) -> str:
    value, low, high = (f"{interval[key]:.4f}" for key in ("value", "low", "high"))
    return f"| {name} | {value} | {low} to {high} | {interval['n']} documents |"


def _interval(interval: Mapping[str, Any]) -> str:
    value, low, high = (f"{interval[key]:.4f}" for key in ("value", "low", "high"))
    return f"{value} ({low} to {high}, {interval['n']} documents)"
