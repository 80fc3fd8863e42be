"""The lines of a K-SSM v3 training log, one pattern each. Widths overflow and numbers may be nan."""

import re

from trainer.telemetry.formats.row import Row

# A decimal carries at least one digit after its point, so that one cut short is not taken for a whole one.
_NUMBER = r"[-+]?(?:\d+\.\d+(?:e[+-]\d{2,3})?|[nN]a[nN]|NAN|[iI]nf(?:inity)?|INF)"
_ROW = re.compile(rf"\s*(\d{{1,12}}) \|\s*({_NUMBER})" + rf" \|\s*({_NUMBER})" * 5 + r"\s*$")
_FULL_LAST = re.compile(r"(?:\d\.\d{3}|e[+-]\d{2,3}|nan|inf)$", re.IGNORECASE)
HEADER = re.compile(
    r"\s*step\s*\|\s*total\s*\|\s*ce\s*\|\s*reg\s*\|\s*r\s*\|\s*u_val\s*\|\s*\S+\s*$", re.IGNORECASE
)
BANNER = re.compile(r"\s*K-SSM v3 [A-Z ]{0,20}TRAINING\s*$")
RESUMED = re.compile(r"\s*Resumed from step (\d{1,12})")
TRANSFERRED = re.compile(r"\s*Loaded model weights from step (\d{1,12}) \(fresh optimizer")
EVAL_TITLE = re.compile(r"\s*EVALUATION @ Step (\d{1,12})")
EVAL_VALUE = re.compile(rf"\s*Val (Loss|CE|Perplexity|R|u_val): ({_NUMBER}|-?\d{{1,300}})\s*$")
NEW_BEST = re.compile(r"\s*✓ New best val")
CHECKPOINT_TITLE = re.compile(r"\s*💾 Checkpoint @ Step (\d{1,12})")
CHECKPOINT_SAVED = re.compile(r"\s*(Checkpoint|Best model) saved: (.+?)\s*$")
CHECKPOINT_STEP = re.compile(r"(?:checkpoint|ckpt|step)[-_]?(\d{1,12})(?:\.\w{1,12})?/?$")
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


def count(text: str) -> int:
    """A count as the log writes it, thousands with commas; 0 where there is no digit."""
    return int(text.replace(",", "") or "0")
