"""The lines of a K-SSM v3 training log, one pattern each. Widths overflow and numbers may be nan."""

import re

from trainer.telemetry.formats.pattern import lazy
from trainer.telemetry.formats.row import Plain, Row

# A decimal carries at least one digit after its point, so that one cut short is not taken for a whole one.
_NUMBER = r"[-+]?(?:\d+\.\d+(?:e[+-]\d{2,3})?|[nN]a[nN]|NAN|[iI]nf(?:inity)?|INF)"
_ROW_TEXT = r"[ \t]*(\d{1,12})" + rf" \|[ \t]*({_NUMBER})" * 6 + r"[ \t]*"
_ROW = lazy(_ROW_TEXT + r"\s*$")
_FULL_LAST = lazy(r"(?:\d\.\d{3}|e[+-]\d{2,3}|nan|inf)$", re.IGNORECASE)
HEADER = lazy(
    r"\s*step\s*\|\s*total\s*\|\s*ce\s*\|\s*reg\s*\|\s*r\s*\|\s*u_val\s*\|\s*\S+\s*$", re.IGNORECASE
)
BANNER = lazy(r"\s*K-SSM v3 [A-Z ]{0,20}TRAINING\s*$")
RESUMED = lazy(r"\s*Resumed from step (\d{1,12})")
TRANSFERRED = lazy(r"\s*Loaded model weights from step (\d{1,12}) \(fresh optimizer")
EVAL_TITLE = lazy(r"\s*EVALUATION @ Step (\d{1,12})")
EVAL_VALUE = lazy(rf"\s*Val (Loss|CE|Perplexity|R|u_val): ({_NUMBER}|-?\d{{1,300}})\s*$")
NEW_BEST = lazy(r"\s*✓ New best val")
CHECKPOINT_TITLE = lazy(r"\s*💾 Checkpoint @ Step (\d{1,12})")
CHECKPOINT_SAVED = lazy(r"\s*(Checkpoint|Best model) saved: (.+?)\s*$")
CHECKPOINT_STEP = lazy(r"(?:checkpoint|ckpt|step)[-_]?(\d{1,12})(?:\.\w{1,12})?/?$")
SAMPLE_TEXT = lazy(r"\s{2,}Text: (.*)$", re.DOTALL)
SAMPLE_R = lazy(rf"\s{{2,}}R: ({_NUMBER})\s*$")
RULE = lazy(r"=+$|-+$")
TOKENISING = lazy(r"\s*Tokenizing (\w+) split")
PROGRESS = lazy(r"\s*([\d,]{1,20})/([\d,]{1,20}) chunks")
PARAMETERS = lazy(r"\s*Parameters: ([\d,]+)")
SECTION = lazy(r"\[([\d.]+)\] (.+?)\s*$")
FAILURE = lazy(r"(?:❌ )?Error: (.+?)\s*$")
FINISHED = lazy(r"Training Finished\.\s*$")

OURS = lazy(
    r"=+$|-+$|\s*(?:step\s*\||K-SSM|EVALUATION @|Val |✓ New|💾|Checkpoint saved|Best model|"
    r"Resumed from|Loaded model|"
    r"Text: |Tokenizing|[\d,]+/[\d,]+ chunks|Parameters:|\[|(?:❌ )?Error: |Training Finished)",
    re.IGNORECASE,
)  # a first look, so that a line among others costs one

# One number between bars, or the head of the table: a logger and a progress bar draw bars in every line.
SOUGHT = re.compile(rb"\|[ \t]{0,40}(?:[-+.\dnaifNAIF]{1,40}[ \t]{0,40}\||(?i:total)[ \t]{0,9}\|)")

EVAL_NAMES = {"Loss": "val_loss", "CE": "val_ce", "Perplexity": "val_ppl", "R": "val_R", "u_val": "val_u"}


def parse_row(line: str, *, whole: bool = True) -> Row | None:
    """Read a metric row, or None for any other line.

    The seventh column is a learning rate where it is written with an exponent and a gradient norm otherwise;
    headers of older builds name it wrongly.

    Args:
        line: the line, without its newline.
        whole: False for a last line without a newline: taken only if its last number cannot have been cut.
    """
    found = _ROW.match(line)
    if found is None:
        return None
    step, total, ce, reg, R, u, last = found.groups()
    if not whole and _FULL_LAST.search(last) is None:
        return None
    values = {
        "total": float(total), "ce": float(ce), "reg": float(reg), "R": float(R), "u_val": float(u),
        "lr" if "e" in last else "grad_norm": float(last),
    }  # fmt: skip
    return Row(int(step), values)


def parse_rows(block: bytes, place: int) -> tuple[list[Plain], int]:
    """Whole rows of plain numbers, one below the other from `place` on, and where another line begins.

    It is for the many: a row that is written in any other way is left for `parse_row`.
    """
    rows: list[Plain] = []
    find = block.find
    while (end := find(b"\n", place)) >= 0:
        line = block[place:end]
        cells = line.split(b" |")
        if len(cells) != 7 or line.count(b".") != 6:
            break
        try:
            step, (total, ce, reg, R, u, last) = int(cells[0]), map(float, cells[1:])
        except ValueError:
            break
        name = "lr" if b"e" in cells[6] else "grad_norm"
        rows.append((step, {"total": total, "ce": ce, "reg": reg, "R": R, "u_val": u, name: last}))
        place = end + 1
    return rows, place


def count(text: str) -> int:
    """A count as the log writes it, thousands with commas; 0 where there is no digit."""
    return int(text.replace(",", "") or "0")
