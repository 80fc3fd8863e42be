"""What launchers, loggers and terminals put around the lines of a log changes nothing of what it tells."""

from collections.abc import Callable

import pytest

from tests.trainer.telemetry.formats.samples import SAMPLES, Sample
from tests.trainer.telemetry.formats.samples_blocks import BLOCKS
from tests.trainer.telemetry.formats.samples_further import FURTHER
from tests.trainer.telemetry.formats.samples_further_tables import FURTHER_TABLES
from tests.trainer.telemetry.formats.samples_more import MORE_SAMPLES
from tests.trainer.telemetry.formats.samples_variants import VARIANTS
from trainer.telemetry.events import Evaluation, Metrics
from trainer.telemetry.formats.line import Line
from trainer.telemetry.recognise import FileRecogniser

FILES = ("trainer_state.json", "JSON history", "CSV")  # nobody writes a prefix into a file of its own
LOGS = [
    sample
    for sample in [*SAMPLES, *MORE_SAMPLES, *BLOCKS, *FURTHER, *FURTHER_TABLES, *VARIANTS]
    if sample.name not in FILES
]
Told = list[tuple[type, int | None, int, dict[str, float | int | None]]]


def lead(text: str) -> Callable[[str], str]:
    return lambda log: "".join(f"{text}{line}\n" for line in log.split("\n") if line)


def rich(log: str) -> str:
    return "".join(
        f"[10:00:00] INFO     {line.rstrip():100}  train.py:30\n" for line in log.split("\n") if line
    )


DECORATIONS: dict[str, Callable[[str], str]] = {
    "docker": lead("2031-05-01T10:00:00.123456789Z "),
    "compose": lead("trainer-1  | "),
    "kubectl": lead("[pod/trainer-0/main] "),
    "logging": lead("2031-01-02 03:04:05,006 - root - INFO - "),
    "basicConfig": lead("INFO:root:"),
    "accelerate": lead("01/02/2031 03:04:05 - INFO - __main__ - "),
    "loguru": lead("2031-01-02 03:04:05.006 | INFO     | __main__:main:12 - "),
    "hydra": lead("[2031-06-13 17:31:08,123][train.loop][INFO] - "),
    "absl": lead("I0912 11:40:27.956218 139735407601536 trainer.py:652] "),
    "rich": rich,
    "torchrun": lead("[rank0]: "),
    "srun": lead("0: "),
    "mpirun": lead("[1,0]<stdout>:"),
    "ray": lead("(TrainActor pid=123, ip=10.0.0.1) "),
    "journal": lead("May  1 10:00:00 host python[123]: "),
    "ts": lead("May 01 10:00:00 "),
    "pm2": lead("0|train  | "),
    "two": lead("2031-05-01T10:00:00.123456789Z trainer-1  | [rank0]: "),
    "colour": lambda log: "".join(f"\x1b[32m{line}\x1b[0m\n" for line in log.split("\n")),
    "crlf": lambda log: log.replace("\r\n", "\n").replace("\n", "\r\n"),
    "blank lines": lambda log: log.replace("\n", "\n\n"),
    "indented": lead("  "),
    "padded": lambda log: log.replace("\n", "    \n"),
    "late": lambda log: "Resolved 12 packages in 0.31s\n" * 3000 + log,
}


def told(data: bytes) -> tuple[str, Told]:
    file = FileRecogniser()
    events = file.feed(data) + file.finish()
    rows = [event for event in events if isinstance(event, Metrics | Evaluation)]
    return file.name, [(type(row), row.step, row.attempt, dict(row.values)) for row in rows]


PLAIN = {id(sample): told(sample.text.encode()) for sample in LOGS}


@pytest.mark.parametrize("name", DECORATIONS)
def test_a_decorated_log_tells_what_the_plain_one_does(name: str) -> None:
    decorate = DECORATIONS[name]
    lost = [sample.name for sample in LOGS if told(decorate(sample.text).encode()) != PLAIN[id(sample)]]
    assert lost == []


def test_a_warning_behind_every_line_is_no_end_of_a_block() -> None:
    """But where what is told is one piece over several lines."""
    warning = "\n/usr/lib/warnings.py:12: UserWarning: scheduler.step() before optimizer.step()\n"
    lost = {s.name for s in LOGS if told(s.text.replace("\n", warning).encode()) != PLAIN[id(s)]}
    assert lost == {"Ray Tune", "dictionary", "Lightning"}


def test_utf_16_tells_the_same() -> None:
    def encoded(sample: Sample) -> bytes:
        return b"\xff\xfe" + sample.text.removeprefix("\ufeff").encode("utf-16-le")

    assert [sample.name for sample in LOGS if told(encoded(sample)) != PLAIN[id(sample)]] == []


@pytest.mark.parametrize(
    "text", ["    iter 1: loss 2.5, time 1ms", "> iter 1: loss 2.5", "- iter 1: loss 2.5", "`iter 1`"]
)
def test_what_quotes_a_row_is_no_prefix(text: str) -> None:
    """Four blanks are a quotation in Markdown; the control are the prefixes above."""
    assert Line(text).body == text


def test_a_place_in_brackets_is_no_prefix() -> None:
    for text in ("[Epoch 1]: x", "[val] step=1", "Epoch 1/2"):
        assert Line(text).body.startswith(text[:3])
