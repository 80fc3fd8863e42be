"""A user's own format: a file of named regular expressions."""

from pathlib import Path

import pytest

from trainer.telemetry.events import Checkpoint, Evaluation, Metrics, Phase
from trainer.telemetry.formats.registry import FORMATS
from trainer.telemetry.formats.user_format import FormatFileError, load_format, load_formats
from trainer.telemetry.recogniser import LogRecogniser

OWN = r"""
name: mine
contains: ["err", "wrote", "of run"]
starts:
  begin: 'begin of run, (?P<total>[\d,]+) turns'
rows:
  train: 'turn (?P<step>\d+) err=(?P<loss>\S+) rate (?P<lr>\S+) speed (?P<tokens_per_s>\S+)'
scores:
  held out: 'test err at (?P<step>\d+) is (?P<val_loss>\S+)'
checkpoints:
  saved: 'wrote (?P<path>\S+) at turn (?P<step>\d+)'
"""
LOG = """\
begin of run, 1,000 turns
turn 10 err=2.5 rate 1e-3 speed 12.5K
2031-01-02 03:04:05 INFO turn 20 err=nan rate 1e-3 speed 12.5K
test err at 20 is 2.75
wrote out/20.bin at turn 20
"""


def write(folder: Path, text: str, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_format_of_ones_own_is_read(tmp_path: Path) -> None:
    log = LogRecogniser(formats=[load_format(write(tmp_path, OWN)), *FORMATS])
    plan, first, second, scores, saved = log.feed(LOG.encode())
    assert log.name == "mine"
    assert isinstance(plan, Phase)
    assert plan.total == 1000
    assert isinstance(first, Metrics)
    assert (first.step, dict(first.values)) == (10, {"loss": 2.5, "lr": 1e-3, "tokens_per_s": 12500.0})
    assert isinstance(second, Metrics)
    assert (second.nonfinite, second.t > 1.9e9) == (("loss",), True)
    assert isinstance(scores, Evaluation)
    assert scores.values == {"val_loss": 2.75}
    assert isinstance(saved, Checkpoint)
    assert (saved.step, saved.path) == (20, "out/20.bin")
    assert LogRecogniser().feed(LOG.encode()) == []  # without it nobody knows the log


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rows: [", "no YAML"),
        ("- a", "mapping"),
        ("rows: {}", "no `rows`"),
        ("rwos: {}", "unknown key 'rwos'"),
        ("rows: {a: '(?P<step>'}", "rows.a is no regular expression"),
        ("rows: {a: 'loss (?P<loss>.*)'}", "no group for the step"),
        ("contains: 3\nrows: {a: '(?P<step>1)'}", "`contains`"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(FormatFileError, match=r"mine\.yaml") as caught:
        load_format(write(tmp_path, text))
    assert told in str(caught.value)


def test_one_bad_file_costs_itself_alone(tmp_path: Path) -> None:
    write(tmp_path, OWN)
    write(tmp_path, "rows: [", "bad.yml")
    formats, faults = load_formats(tmp_path)
    assert ([make().name for make in formats], len(faults)) == (["mine"], 1)
    assert load_formats(tmp_path / "none") == ([], [])
