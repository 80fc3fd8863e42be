"""A format invents nothing: texts that speak of rows, programs that print them, and what installers say."""

import random
from collections.abc import Callable

import pytest

from tests.trainer.telemetry.formats.samples import SAMPLES
from tests.trainer.telemetry.formats.samples_blocks import BLOCKS
from tests.trainer.telemetry.formats.samples_further import FURTHER
from tests.trainer.telemetry.formats.samples_further_tables import FURTHER_TABLES
from tests.trainer.telemetry.formats.samples_more import MORE_SAMPLES
from tests.trainer.telemetry.formats.samples_variants import VARIANTS
from trainer.telemetry.events import Evaluation, Metrics
from trainer.telemetry.formats.format import Format
from trainer.telemetry.formats.registry import FORMATS
from trainer.telemetry.recognise import FileRecogniser
from trainer.telemetry.recogniser import LogRecogniser

LOGS = [*SAMPLES, *MORE_SAMPLES, *BLOCKS, *FURTHER, *FURTHER_TABLES, *VARIANTS]
LINES = [line for sample in LOGS for line in sample.text.splitlines() if line.strip()]


def in_sentences() -> str:
    return "".join(f"At that point the log says {line.strip()} and then goes on.\n" for line in LINES)


def in_quotations() -> str:
    return "".join(f"> {line}\n\nSee above: `{line}`\n" for line in LINES)


def between_fences() -> str:
    """Few rows of each, as a text about a trainer shows them."""
    texts = [sample.text for sample in LOGS]
    return "".join(f"It prints:\n\n```\n{text}\n```\n\nand so on.\n" for text in texts)


def in_tables() -> str:
    return "".join(
        f"| {line.replace('|', ' ')} | seen once |\n- {line}\n* {line}\n1. {line}\n" for line in LINES
    )


def in_programs() -> str:
    return "".join(f"    print({line!r})  # {line}\n    log.info(f{line!r})\n" for line in LINES)


ARGUMENTS = """\
Namespace(step=10, loss='mse', lr=0.1, epochs=3, batch_size=8)
{'loss': 'cross_entropy', 'learning_rate': 0.0002, 'epochs': 3, 'grad_norm': 1.0}
{'learning_rate': 0.0002, 'loss': 0.5, 'weight_decay': 0.1}
{"lr": 0.1, "loss": "mse", "steps": 100, "epochs": 3}
{"name": "run", "optimizer": {"lr": 0.1}, "epoch": 3}
  learning_rate ................................... 0.0003
  train_iters ..................................... 1000
loss: mse
step: 10
lr=0.1
epochs=3 loss=0.5 lr=0.1
--step=10 --loss=0.5 --lr=0.1
python train.py step=10 loss=0.5
"""
SETTINGS = """\
step: 10
loss: mse
epoch: 3, batch: 8, optimizer: adam
Epoch: 3
Epoch 3 of training begins, with the loss as before: see below
Epoch 4: val_loss did not improve from 0.5120
Epoch 4: early stopping
Epoch 5: reducing learning rate to 1e-05
Step 5: Total=7.645 is what it said, CE=3
Steps: 100, Loss: cross entropy
Iter 100: Saved adapter weights to adapters.safetensors
checkpoint: step=10
[lr-restart] epoch=7 lr=5.85e-04 factor=0.500 duration=3
[lr-restart] epoch=9 lr=2.85e-04 factor=0.500 duration=3
[train] epochs=3 lr=0.1 loss=cross_entropy
+---------+----------+
| loss    | 0.5120   |
| step    | 10       |
+---------+----------+
wandb: Run summary:
wandb:          loss 0.51203
wandb:   global_step 200
  0%|          | 0/10 [00:00<?, ?it/s]
 10%|█         | 1/10 [00:01<00:09,  1.00it/s]
100%|██████████| 10/10 [00:10<00:00,  1.00it/s]
Downloading (loss table):  10%|█         | 1/10 [00:01<00:09,  1.00it/s]
Filter: 100%|██████████| 1000/1000 [00:01<00:00, 812.10 examples/s]
tests/test_loss.py::test_step[10] PASSED                 [ 10%]
| N/A   36C    P0            124W /  700W |   26227MiB /  81559MiB |      0%      Default |
  1,234,567  12%   10.11MB/s    0:00:09
commit 1f2e3d4: loss 2.5 at step 10
"""
BOXES = """\
---------------------------------
| total_timesteps | 1000000     |
| learning_rate   | 0.0003      |
| max_grad_norm   | 0.5         |
---------------------------------
---------------------------------
| total_timesteps | 2000000     |
| learning_rate   | 0.0003      |
| max_grad_norm   | 0.5         |
---------------------------------
| step | loss |
|------|------|
| 10   | 2.5  |
| 20   | 2.25 |
-----------------  --------
Name               Size
model.safetensors  12
-----------------  --------
{'epoch': 3,
 'optimizer': {'lr': 0.1},
 'loss': 'mse'}
{'epoch': 4,
 'batch_size': 8,
 'loss': 0.5}
{'epoch': 5, 'loss': 'mse', 'lr': 0.1}
{
  "epoch": 6,
  "lr": 0.1
}
Epoch 1
  lr: 0.1
  shuffled: yes
Epoch 2
  lr: 0.1
1. Step 1: loss of the weights
2. Step 2: loss: see below
Step 3: Total=7.6 is what it said, loss: 0.5 at most
## Epoch 7
loss: 0.5
## Epoch 8
loss: 0.4
Result for nothing:
Learning iteration of the plan
Total params: 3
Epoch 1/2 ━━━ of the plan • 3/4 it/s
       Test metric
"""
INSTALLERS = """\
Collecting torch==2.13.0
  Downloading torch-2.13.0-cp311-none-linux_x86_64.whl (812.3 MB)
\x1b[2K     \x1b[90m━━━━━━━━━━\x1b[0m \x1b[32m812.3/812.3 MB\x1b[0m \x1b[31m3.1 MB/s eta \x1b[36m0:00:00
Requirement already satisfied: numpy>=1.26 in /usr/lib/python3 (from torch==2.13.0) (2.1.0)
Successfully installed numpy-2.1.0 torch-2.13.0
Get:1 http://archive.example.org/ubuntu noble/main amd64 libfoo 1.0-1 [12.3 kB]
Fetched 12.3 kB in 1s (10.1 kB/s)
(Reading database ... 5%(Reading database ... 100%
Setting up libfoo (1.0-1) ...
model.safetensors:  10%|█         | 310M/3.10G [00:01<00:09, 301MB/s]
Map: 100%|██████████| 1000/1000 [00:01<00:00, 812.10 examples/s]
"""


def noise() -> str:
    """A megabyte of lines from the letters and the words that rows are made of."""
    dice = random.Random(14)
    letters = "0123456789.,:;|=/%[](){}'\" \t\r+-eE"
    words = [
        "step",
        "iter",
        "loss",
        "lr",
        "epoch",
        "train",
        "val",
        "eval",
        "it/s",
        "|",
        "=",
        ":",
        "nan",
        "1e-3",
        "7",
    ]
    lines = []
    for _ in range(9000):
        lines.append("".join(dice.choices(letters, k=dice.randrange(90))))
        lines.append(" ".join(dice.choices(words, k=dice.randrange(18))))
    return "\n".join(lines)


TEXTS: dict[str, Callable[[], str]] = {
    "sentences": in_sentences,
    "quotations": in_quotations,
    "fences": between_fences,
    "tables": in_tables,
    "programs": in_programs,
    "arguments": lambda: ARGUMENTS * 3,
    "boxes": lambda: BOXES * 3,
    "settings": lambda: SETTINGS * 3,
    "installers": lambda: INSTALLERS * 3,
    "noise": noise,
}


def rows(data: bytes, formats: tuple[Callable[[], Format], ...] = FORMATS) -> list[Metrics | Evaluation]:
    log = LogRecogniser(formats=formats)
    return [event for event in log.feed(data) + log.finish() if isinstance(event, Metrics | Evaluation)]


@pytest.mark.parametrize("text", TEXTS)
def test_no_format_finds_a_row_where_there_is_none(text: str) -> None:
    """Together and each alone; that a row is found where it is one, `test_samples` shows of every format."""
    data = TEXTS[text]().encode()
    file = FileRecogniser()
    assert file.feed(data) + file.finish() == []
    for make in FORMATS:
        assert rows(data, (make,)) == [], make().name


def test_a_row_that_stands_alone_makes_no_log_and_two_do() -> None:
    row = "iter {}: loss 2.5000, time 10.00ms, mfu 1.00%\n"
    assert rows(f"It printed this:\n{row.format(10)}Then it died.\n".encode()) == []
    assert [event.step for event in rows((row.format(10) + "chatter\n" * 9 + row.format(20)).encode())] == [
        10,
        20,
    ]


def test_a_log_with_many_rows_between_fences_is_a_log() -> None:
    text = "".join(f"iter {step}: loss 2.5000, time 10.00ms, mfu 1.00%\n" for step in range(40))
    assert len(rows(f"```\n{text}```\n".encode())) == 40


def test_a_sample_that_opens_a_fence_hides_nothing_of_a_log_that_is_known() -> None:
    row = "iter {}: loss 2.5000, time 10.00ms, mfu 1.00%\n"
    text = row.format(0) + "".join(f"{row.format(step)}```python\n" for step in range(1, 9))
    assert len(rows(text.encode())) == 9


@pytest.mark.parametrize("before", [997_104])
def test_the_first_row_is_found_wherever_it_stands(before: int) -> None:
    chatter = (b"Resolved 12 packages in 0.31s | reading step by step\r\n" * (before // 50))[:before] + b"\n"
    row = b"step %05d/00900 (1.00%%) | loss: 9.5 | dt: 400.00ms | tok/sec: 1,000\n"
    assert [event.step for event in rows(chatter + row % 0 + row % 1)] == [0, 1]


def test_another_format_takes_over_once_the_first_has_fallen_silent() -> None:
    first = "".join(f"step={step} loss=2.5 lr=0.1\n" for step in range(5))
    then = "".join(f"Iter {step}: Train loss 1.5, It/sec 2.000\n" for step in range(1, 9))
    log = LogRecogniser()
    events = (
        log.feed(first.encode()) + log.feed(b"chatter goes on and on\n" * 20_000) + log.feed(then.encode())
    )
    assert log.name == "mlx-lm"
    assert [event.step for event in events if isinstance(event, Metrics)] == [*range(5), *range(1, 9)]
