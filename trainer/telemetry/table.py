"""The K-SSM table: the lines that monitors of the published trainer parse, in its widths.

One thing differs, on purpose: `Total` is CE + lambda Reg, where the published table printed CE + Reg.
"""

import math
from collections.abc import Mapping

HEADER = "  Step |   Total |      CE |     Reg |       R |   u_val | GradNorm"
RULE = "-" * 80
HEAVY_RULE = "=" * 80
SAMPLE_CHARACTERS = 150
FINISHED = "Training Finished."


def header() -> list[str]:
    """Return the table's head."""
    return [HEADER, RULE]


def row(step: int, values: Mapping[str, float]) -> str:
    """Return one row from `total ce reg R u_val grad_norm`; what is missing stands as nan."""
    total, ce, reg, R, u, grad = (
        values.get(name, math.nan) for name in ("total", "ce", "reg", "R", "u_val", "grad_norm")
    )
    return f"{step:6d} | {total:7.3f} | {ce:7.3f} | {reg:7.4f} | {R:.4f} | {u:7.3f} | {grad:8.3f}"


def eval_head(step: int, values: Mapping[str, float], best: bool, saves: bool) -> list[str]:
    """Return the beginning of an evaluation block: its scores (`val_loss val_ce val_ppl val_R val_u`).

    Args:
        best: the lowest validation CE so far.
        saves: a checkpoint of it will be written.
    """
    loss, ce, ppl, R, u = (
        values.get(name, math.nan) for name in ("val_loss", "val_ce", "val_ppl", "val_R", "val_u")
    )
    lines = [
        "",
        HEAVY_RULE,
        f"EVALUATION @ Step {step}",
        HEAVY_RULE,
        f"  Val Loss: {loss:.4f}",
        f"  Val CE: {ce:.4f}",
        f"  Val Perplexity: {ppl:.2f}",
        f"  Val R: {R:.4f}",
        f"  Val u_val: {u:.4f}",
    ]
    if "val_accuracy" in values:
        lines.append(f"  Val accuracy: {values['val_accuracy']:.4f}")
    if best:
        lines.append("  ✓ New best val CE!" + (" Saving a checkpoint" if saves else ""))
    return lines


def eval_sample(text: str, R: float) -> list[str]:
    """Return the sample part of an evaluation block.

    Control characters are escaped: a line stays a line, and no sample drives the terminal.
    """
    shown = "".join(map(_printable, text[:SAMPLE_CHARACTERS]))
    return ["", "  Sample Generation:", f"    Text: {shown}...", f"    R: {R:.4f}"]


def checkpoint(step: int, path: str) -> list[str]:
    """Return the lines of a checkpoint that is on disk."""
    return [f"💾 Checkpoint @ Step {step}", f"  Checkpoint saved: {path}"]


def resumed(step: int, path: str) -> list[str]:
    """Return the lines of a resume."""
    return [f"  Loading checkpoint: {path}", f"  Resumed from step {step} (full state)"]


def _printable(character: str) -> str:
    if character == "\\":
        return "\\\\"
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
