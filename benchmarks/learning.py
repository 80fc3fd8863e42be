"""How much a preset learns in a few hundred steps, beside n-gram floors counted on the same text.

    python benchmarks/learning.py --preset kssm-v3-tiny --data python-docs --steps 400

Bytes, one text, one run; the rate and the rest come from the preset's `optim:` section. The text is cut at
blank lines into sections of about 4 KB, of which every tenth, by hash, is held out. Prints one JSON object.
"""

import argparse
import ast
import hashlib
import json
import math
import re
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from pydoc_data import topics
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from trainer.config.presets import load_preset
from trainer.config.yaml_values import parse_yaml
from trainer.models import LanguageModel, create

Bytes = NDArray[np.uint8]
SECTION = 4096
HELD_OUT = 10
EVAL_WINDOWS = 256


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    preset = load_preset(options.preset)
    optim: dict[str, float] = {**preset["optim"], **dict(options.optim)}
    train, held_out = split(sections(options.data))
    model = create(options.preset, 256, **dict(options.model))
    report: dict[str, Any] = {
        "preset": options.preset,
        "data": options.data,
        "parameters": model.parameter_count(),
    }
    report |= {"train_bytes": len(train), "val_bytes": len(held_out)} | floors(train, held_out)
    print(json.dumps(report), file=sys.stderr)
    report |= fit(model, train, held_out, optim, options)
    report["below_bigram"] = report["bigram"] - report["val_ce"]
    print(json.dumps({key: round(v, 4) if isinstance(v, float) else v for key, v in report.items()}))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--preset", default="kssm-v3-tiny")
    parser.add_argument(
        "--data", default=["python-docs"], nargs="+", help="python-docs, text files or folders of them"
    )
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--context", type=int, default=256)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1234)
    parser.add_argument("--eval-every", type=int, default=0)
    parser.add_argument("--optim", type=assignment, action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--model", type=assignment, action="append", default=[], metavar="KEY=VALUE")
    return parser.parse_args()


def assignment(text: str) -> tuple[str, Any]:
    key, _, value = text.partition("=")
    return key, parse_yaml(value, key)


def sections(sources: list[str]) -> Iterator[bytes]:
    """Yield every text's sections of about `SECTION` bytes, cut at blank lines."""
    for source in sources:
        for text in python_docs() if source == "python-docs" else files(Path(source)):
            block = ""
            for paragraph in re.split(r"(?<=\n)\s*\n", text):
                block += paragraph.rstrip() + "\n\n"
                if len(block) >= SECTION:
                    yield block.encode()
                    block = ""
            yield block.encode()


def files(path: Path) -> Iterator[str]:
    for file in sorted(path.glob("*.txt")) if path.is_dir() else [path]:
        yield file.read_text("utf-8", errors="replace")


def python_docs() -> Iterator[str]:
    """Yield the topics of `help()` and the docstrings of the standard library, module by module."""
    yield from topics.topics.values()
    library = Path(sysconfig.get_paths()["stdlib"])
    for file in sorted(library.rglob("*.py")):
        if {"test", "tests", "site-packages", "idlelib", "lib2to3"} & set(file.relative_to(library).parts):
            continue
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
        tree = ast.parse(file.read_text("utf-8", errors="replace"))
        found = (ast.get_docstring(node) for node in ast.walk(tree) if isinstance(node, documented))
        yield "\n\n".join(text for text in found if text)


def split(blocks: Iterator[bytes]) -> tuple[Bytes, Bytes]:
    """Hold out one section in `HELD_OUT` by its hash, never by its position; drop duplicates."""
    train: list[bytes] = []
    held_out: list[bytes] = []
    for digest, block in {hashlib.blake2b(b).digest(): b for b in blocks if b.strip()}.items():
        (held_out if digest[0] % HELD_OUT == 0 else train).append(block)
    return np.frombuffer(b"".join(train), np.uint8), np.frombuffer(b"".join(held_out), np.uint8)


def floors(train: Bytes, held_out: Bytes) -> dict[str, float]:
    """Return the CE of n-grams, counted on `train`, interpolated after Witten and Bell (1991)."""
    lower = np.full(len(held_out), 1 / 256)
    answer = {}
    for order, name in enumerate(("unigram", "bigram", "trigram")):
        grams, counts = np.unique(codes(train, order), return_counts=True)
        contexts, kinds = np.unique(grams >> 8, return_counts=True)
        totals = np.zeros(len(contexts))
        np.add.at(totals, np.searchsorted(contexts, grams >> 8), counts)
        asked = codes(held_out, order)
        seen = lookup(grams, counts, asked)
        total, followers = lookup(contexts, totals, asked >> 8), lookup(contexts, kinds, asked >> 8)
        tail = lower[-len(asked) :]
        lower = np.where(total > 0, (seen + followers * tail) / np.maximum(total + followers, 1), tail)
        answer[name] = float(-np.log(lower).mean())
    return answer


def codes(text: Bytes, order: int) -> NDArray[np.int64]:
    """Return one number for every `order + 1` bytes in a row."""
    total = np.zeros(len(text) - order, np.int64)
    for offset in range(order + 1):
        total = (total << 8) + text[offset : len(text) - order + offset]
    return total


def lookup(keys: NDArray[np.int64], values: NDArray[Any], asked: NDArray[np.int64]) -> NDArray[Any]:
    index = np.searchsorted(keys, asked).clip(max=len(keys) - 1)
    return np.where(keys[index] == asked, values[index], 0)


def fit(
    model: LanguageModel[Any],
    train: Bytes,
    held_out: Bytes,
    optim: dict[str, float],
    options: argparse.Namespace,
) -> dict[str, Any]:
    """Train for `options.steps` steps; return validation CE and the time of a step."""
    groups = model.parameter_groups(optim["weight_decay"])
    betas = (optim["beta1"], optim["beta2"])
    adam = torch.optim.AdamW(groups, lr=optim["lr"], betas=betas, fused=True)
    text = torch.from_numpy(train.astype(np.int64))
    draw = torch.Generator().manual_seed(options.seed)
    times = []
    for step in range(options.steps):
        began = time.perf_counter()
        for group in adam.param_groups:
            group["lr"] = optim["lr"] * schedule(step, options.steps, optim)
        start = torch.randint(len(text) - options.context - 1, (options.batch, 1), generator=draw)
        window = text[start + torch.arange(options.context + 1)]
        answer = model.loss(window[:, :-1], window[:, 1:])
        adam.zero_grad()
        torch.autograd.backward(answer.total)
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), optim["clip"])
        adam.step()
        times.append(time.perf_counter() - began)
        if step % 20 == 0 or step == options.steps - 1:
            fields = f"{step:5d} ce {answer.ce:.4f} R {answer.R_mean:.3f} C {answer.coherence_mean:.3f}"
            ends = f"u {answer.u_median:.2f} [{answer.u_low_share:.2f} {answer.u_high_share:.2f}]"
            print(f"{fields} {ends} norm {norm:.2f} {1e3 * times[-1]:.0f} ms", file=sys.stderr)
        if options.eval_every and (step + 1) % options.eval_every == 0:
            print(f"{step + 1:5d} val {evaluate(model, held_out, options):.4f}", file=sys.stderr)
    steps = sorted(times)
    measured = {"step_ms": 1e3 * steps[len(steps) // 2], "threads": options.threads, "steps": options.steps}
    return {"val_ce": evaluate(model, held_out, options), **measured, "optim": optim}


def schedule(step: int, steps: int, optim: dict[str, float]) -> float:
    """Return the share of the peak rate: linear warm-up, then a cosine to `min_lr_ratio`."""
    if step < optim["warmup"]:
        return (step + 1) / optim["warmup"]
    done = (step - optim["warmup"]) / max(1, steps - optim["warmup"])
    return optim["min_lr_ratio"] + (1 - optim["min_lr_ratio"]) * 0.5 * (1 + math.cos(math.pi * done))


@torch.no_grad()
def evaluate(model: LanguageModel[Any], held_out: Bytes, options: argparse.Namespace) -> float:
    """Return the CE over up to `EVAL_WINDOWS` windows spread evenly over the held-out text."""
    windows = (len(held_out) - 1) // options.context
    chosen = np.linspace(0, windows - 1, min(windows, EVAL_WINDOWS)).astype(np.int64) * options.context
    text = torch.from_numpy(held_out.astype(np.int64))
    index = torch.from_numpy(chosen).unsqueeze(1) + torch.arange(options.context + 1)
    model.eval()
    total = 0.0
    for rows in torch.arange(len(chosen)).chunk(-(-len(chosen) // 16)):
        window = text[index[rows]]
        logits = model(window[:, :-1]).logits.flatten(0, 1)
        total += float(cross_entropy(logits, window[:, 1:].flatten(), reduction="sum"))
    model.train()
    return total / index[:, 1:].numel()


if __name__ == "__main__":
    main()
