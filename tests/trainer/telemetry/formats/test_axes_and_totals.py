"""What the steps of a log count, and how many of them it plans."""

from pathlib import Path

import pytest

from tests.trainer.telemetry.formats.samples import bar
from trainer.telemetry.events import Metrics, Phase
from trainer.telemetry.formats.user_format import load_format
from trainer.telemetry.recogniser import LogRecogniser

KERAS = "".join(
    f"Epoch {n}/7\n24/24 ━━━━ 2s 44ms/step - accuracy: 0.5 - loss: 0.8 - val_loss: 0.9\n" for n in (1, 2, 3)
)


def bars(lead: str, *done: int, of: int = 90) -> str:
    """Redraws of a bar behind `lead`."""
    return "".join(f"\r{lead}{bar(step, of)[1:-1]}, loss=0.5]" for step in done) + "\n"


@pytest.mark.parametrize(
    ("text", "axis", "total"),
    [
        (KERAS, "epoch", 7),
        ("step=1 loss=2.5\nstep=2 loss=2.4\n", "step", 0),
        ("Epoch 1/9 loss=2.5\nEpoch 2/9 loss=2.4\n", "epoch", 9),
        ("Epoch 1/9 step=20 loss=2.5\nEpoch 1/9 step=40 loss=2.4\n", "step", 0),  # not nine steps
        ("Epoch 1/9 Step 20/500 loss=2.5\nEpoch 1/9 Step 40/500 loss=2.4\n", "step", 500),
        ("epoch,loss\n1,2.5\n2,2.4\n", "epoch", 0),
        ("epoch,step,loss\n1,10,2.5\n2,20,2.4\n", "step", 0),
        ('{"epoch": 1, "loss": 2.5}\n{"epoch": 2, "loss": 2.4}\n', "epoch", 0),
        ('{"epoch": 1, "step": 5, "loss": 2.5}\n{"epoch": 1, "step": 6, "loss": 2.4}\n', "step", 0),
        (bars("", 10, 20, 30), "step", 90),
        (bars("Epoch 1/3: ", 10, 20, 30), "step", 270),
        (bars("Epoch 1: ", 10, 20, 30), "step", 0),  # of how many epochs nobody says
        ("Starting training..., iters: 250\nIter 10: Train loss 3.8, It/sec 3.6\n", "step", 250),
    ],
)  # fmt: skip
def test_what_is_counted_and_of_how_many(text: str, axis: str, total: int) -> None:
    log = LogRecogniser(live=True)
    events = log.feed(text.encode()) + log.finish()
    assert any(isinstance(event, Metrics) for event in events)
    plans = [event.total for event in events if isinstance(event, Phase)]
    assert (log.axis, plans[-1] if plans else 0) == (axis, total)


def test_who_watches_hears_a_block_when_it_ends_as_the_one_before_did() -> None:
    """And what it tells after that, too; the control is a reader of the whole, who needs one row a block."""
    block = "Epoch {n}\n  train loss: 2.5\n  val loss: 2.75\n"
    for live in (True, False):
        log = LogRecogniser(live=live)
        log.feed("".join(block.format(n=n) for n in (1, 2, 3)).encode())
        told = log.feed(b"") + log.feed(block.format(n=4).encode())
        assert [event.step for event in told if isinstance(event, Metrics)] == ([4] if live else [3])
        assert [event.step for event in log.feed(b"  test loss: 3.0\nEpoch 5\n") if event.step] == (
            [4] if live else [4, 4]
        )


def test_the_steps_of_a_format_of_ones_own_are_epochs_where_it_names_only_those(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("rows:\n  round: 'round (?P<epoch>\\d+) cost (?P<loss>\\S+)'\n")
    log = LogRecogniser(formats=(load_format(path),))
    log.feed(b"round 1 cost 2.5\nround 2 cost 2.4\n")
    assert (log.name, log.axis) == ("mine", "epoch")
