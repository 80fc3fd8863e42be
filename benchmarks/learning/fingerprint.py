"""Which model a line of results is of, so that lines of a model that has changed since are recognised.

Two things are kept. The *function*: the losses of a few steps from a fixed seed, which stay when a step is
only made faster. The *digest* of the code, without comments and docstrings, which does not: a cost is of one.
"""

import ast
import hashlib
import subprocess
from functools import cache
from pathlib import Path

import torch

from benchmarks.learning.contenders import CONTEXT, Setting, config_of
from trainer.models import build
from trainer.step.optimizers import OPTIMIZERS

ROOT = Path(__file__).parents[2]
CODE = (
    "trainer/models",
    "trainer/step/optimizer_step.py",
    "trainer/step/precision.py",
    "trainer/loop/setup.py",
)
STEPS, BATCH = 4, 4


@cache
def function_of(name: str) -> tuple[float, ...]:
    """CE of the first steps of a model on fixed bytes, nats."""
    config = config_of(name, Setting(3e-3), "python-docs", steps=STEPS, seed=0)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    torch.set_num_threads(1)  # two that wait for each other on a busy machine take a minute
    try:
        torch.manual_seed(0)
        model = build(config.model, 256)
        optimizer = OPTIMIZERS[config.optim.name](model, config.optim)
        tokens = torch.randint(256, (BATCH, CONTEXT + 1)) // 8
        losses = []
        for _ in range(STEPS):
            loss = model.loss(tokens[:, :-1], tokens[:, 1:])
            torch.autograd.backward(loss.total)
            optimizer.step()
            optimizer.zero_grad()
            losses.append(round(loss.ce.item(), 5))
    finally:
        torch.set_rng_state(state)
        torch.set_num_threads(threads)
    return tuple(losses)


@cache
def digest() -> str:
    """16 hex digits over the code of models and step; comments, docstrings and layout do not count."""
    found = hashlib.sha256()
    for place in CODE:
        path = ROOT / place
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.suffix in (".py", ".cpp", ".cu"):
                text = file.read_text("utf-8")
                text = bare(text) if file.suffix == ".py" else text
                found.update(f"{file.relative_to(ROOT)}\0{text}\0".encode())
    return found.hexdigest()[:16]


def bare(source: str) -> str:
    """A module without comments and docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                body[:1] = []
    return ast.dump(tree)


@cache
def commit() -> str:
    """The commit of the checkout, with a + where models or step are not as committed; "" without git."""
    try:
        head = _git("rev-parse", "--short", "HEAD")
        return head + ("+" if _git("status", "--porcelain", "--", *CODE) else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    return done.stdout.strip()
