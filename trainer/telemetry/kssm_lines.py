"""The lines of a K-SSM v3 training log, one pattern each. Widths overflow and numbers may be nan."""

import re
from dataclasses import dataclass
from math import isfinite

# A decimal carries at least one digit after its point, so that one cut short is not taken for a whole one.
_NUMBER = r"-?(?:\d+\.\d+(?:e[+-]\d{2,3})?|nan|inf)"
_ROW = re.compile(rf"\s*(\d{{1,12}}) \|\s*({_NUMBER})" + rf" \|\s*({_NUMBER})" * 5 + r"\s*$")
_FULL_LAST = re.compile(r"(?:\d\.\d{3}|e[+-]\d{2,3}|nan|inf)$")
HEADER = re.compile(
    r"\s*step\s*\|\s*total\s*\|\s*ce\s*\|\s*reg\s*\|\s*r\s*\|\s*u_val\s*\|\s*\S+\s*$", re.IGNORECASE
)
BANNER = re.compile(r"K-SSM v3\b")
RESUMED = re.compile(r"\s*Resumed from step (\d{1,12})")
TRANSFERRED = re.compile(r"\s*Loaded model weights from step (\d{1,12}) \(fresh optimizer")
EVAL_TITLE = re.compile(r"\s*EVALUATION @ Step (\d{1,12})")
EVAL_VALUE = re.compile(rf"\s*Val (Loss|CE|Perplexity|R|u_val): ({_NUMBER}|-?\d{{1,300}})\s*$")
NEW_BEST = re.compile(r"\s*✓ New best val")
CHECKPOINT_TITLE = re.compile(r"\s*💾 Checkpoint @ Step (\d{1,12})")
CHECKPOINT_SAVED = re.compile(r"\s*(Checkpoint|Best model) saved: (.+?)\s*$")
CHECKPOINT_STEP = re.compile(r"(\d{1,12})(?:\.pt)?/?$")
SAMPLE_TEXT = re.compile(r"\s{2,}Text: (.*)$", re.DOTALL)
SAMPLE_R = re.compile(rf"\s{{2,}}R: ({_NUMBER})\s*$")
RULE = re.compile(r"=+$|-+$")
TOKENISING = re.compile(r"\s*Tokenizing (\w+) split")
PROGRESS = re.compile(r"\s*([\d,]{1,20})/([\d,]{1,20}) chunks")
PARAMETERS = re.compile(r"\s*Parameters: ([\d,]+)")
SECTION = re.compile(r"\[([\d.]+)\] (.+?)\s*$")
FAILURE = re.compile(r"(?:❌ )?Error: (.+?)\s*$")
FINISHED = re.compile(r"Training Finished\.\s*$")

EVAL_NAMES = {"Loss": "val_loss", "CE": "val_ce", "Perplexity": "val_ppl", "R": "val_R", "u_val": "val_u"}
COLUMNS = ("total", "ce", "reg", "R", "u_val")


@dataclass(frozen=True, slots=True)
class Row:
    """One metric row: finite numbers by name, None where the log said nan or inf."""

    step: int
    values: dict[str, float | None]
    nonfinite: tuple[str, ...]


def parse_row(line: str, *, whole: bool = True) -> Row | None:
    """Read a metric row, or None for any other line.

    The seventh column is a learning rate where it is written with an exponent and a gradient norm otherwise;
    headers of older builds name it wrongly.

    Args:
        line: the line, without its newline.
        whole: False for a last line without a newline: taken only if its last number cannot have been cut.
    """
    if line.count("|") != 6 or (found := _ROW.match(line)) is None:
        return None
    step, *texts = found.groups()
    if not whole and _FULL_LAST.search(texts[-1]) is None:
        return None
    last = "lr" if "e" in texts[-1] else "grad_norm"
    numbers = {name: float(text) for name, text in zip((*COLUMNS, last), texts, strict=True)}
    bad = tuple(name for name, number in numbers.items() if not isfinite(number))
    values: dict[str, float | None] = {k: None if k in bad else v for k, v in numbers.items()}
    return Row(int(step), values, bad)


def count(text: str) -> int:
    """A count as the log writes it, thousands with commas; 0 where there is no digit."""
    return int(text.replace(",", "") or "0")
