"""Runs of other people's programs in the store: metrics, lamps, totals and pace; and ours beside them."""

from collections.abc import Iterable

import pytest

from remote.session.link.link_state import LinkState
from remote.session.updates import Bytes, LinkChanged, RunsSeen, Update
from tests.tui.fake import START, WALL, events, view
from trainer.telemetry.bands import Bands
from tui.store.lamps import lamps
from tui.store.metrics.chart_plan import charts
from tui.store.runs import RunRecord
from tui.store.store import Store
from tui.widgets.run_look import EXAMPLES, LINES, SECONDS, is_text_only, is_unknown

KEY = ("local", "demo-aaaaaa")
UP = LinkState("connected", 0.002, START, 0)
ROW = "{{'loss': {loss}, 'grad_norm': 1.5, 'learning_rate': 0.0001, 'epoch': {epoch}}}\n"
HF = "  Num Epochs = 5\n  Total optimization steps = 500\n"
BAR = "\r {percent:2d}%|█         | {step}/500 [00:10<01:00,  1.10it/s]"
HF_ROWS = [
    BAR.format(percent=step // 5, step=step) + ROW.format(loss=3 - step / 100, epoch=step / 100)
    for step in range(10, 130, 10)
]
EPOCH = (
    "Epoch {n}/7\n24/24 ━━━━ 2s 44ms/step - accuracy: 0.5 - loss: 0.8 - val_accuracy: 0.4 - val_loss: 0.9\n"
)


@pytest.fixture
def store(bands: Bands) -> Store:
    made = Store(["local"], bands)
    tell(made, LinkChanged(UP), RunsSeen((view(kind="command", max_steps=0, since=WALL),), WALL))
    return made


def tell(store: Store, *updates: Update, at: float = 0.0) -> None:
    for update in updates:
        store.apply("local", update, START + at, WALL + at)


def hear(store: Store, pieces: Iterable[tuple[float, str]]) -> RunRecord:
    """A log that grows: at such a time, such a piece."""
    offset = 0
    for at, text in pieces:
        data = text.encode()
        tell(store, Bytes(1, KEY[1], "log", 1, offset, data, "001.log", WALL + at), at=at)
        offset += len(data)
    return store.runs[KEY]


def lit(store: Store, at: float) -> dict[str, str]:
    assert store.bands is not None
    found = lamps(store.runs[KEY], store.hosts["local"], store.bands, START + at)
    return {lamp.metric: lamp.word for lamp in found}


def test_a_trainers_run_has_no_lamp_of_what_it_cannot_tell(store: Store) -> None:
    run = hear(store, [(0.0, HF), *((2.0 * n, row) for n, row in enumerate(HF_ROWS, 1))])
    assert (run.log_format, run.kind, run.axis, run.max_steps) == ("HF Trainer", "HF Trainer", "step", 500)
    assert set(run.catalogue) == {"loss", "grad_norm", "lr", "epoch"}
    assert set(lit(store, 24.0)) == {"grad_norm", "idle_s", "memory_used", "disk_free_gb"}
    assert run.catalogue["lr"].first == 10
    assert run.loss == run.newest("loss")


def test_a_run_of_ours_has_the_lamps_that_it_always_had(bands: Bands) -> None:
    made = Store(["local"], bands)
    tell(made, LinkChanged(UP), RunsSeen((view(),), WALL))
    core = {"u_val", "R", "grad_norm", "ce", "reg", "idle_s", "memory_used", "disk_free_gb"}
    assert set(lit(made, 0.0)) == core
    tell(made, Bytes(1, KEY[1], "events", 1, 0, events(range(0, 50, 5)).encode(), ""))
    assert set(lit(made, 0.0)) == core | {"coherence"}
    assert [plan.metric for plan in charts(made.runs[KEY].catalogue)] == ["ce", "u_val", "R", "grad_norm"]


def test_epochs_are_counted_as_epochs_and_their_pace_is_that_of_the_rows(store: Store) -> None:
    """Keras tells how long a batch takes: that is no time of an epoch."""
    run = hear(store, [(60.0 * n, EPOCH.format(n=n)) for n in range(1, 6)])
    assert (run.axis, run.step, run.max_steps) == ("epoch", 5, 7)
    assert run.newest("step_ms") == 44.0
    assert (run.step_s, run.eta_s) == (60.0, 120.0)
    assert run.catalogue["val_loss"].is_held_out
    assert charts(run.catalogue)[0].marks == "val_loss"


def test_what_was_written_before_anybody_looked_has_the_pace_since_it_began(store: Store) -> None:
    """A log of ten rows in an hour, read at once; then the rows' own times tell it better."""
    text = "".join(f"step {n}/100 loss=2.5\n" for n in range(1, 11))
    run = hear(store, [(3600.0, text)])
    assert run.step_s is None
    assert run.pace.step_since(run.began_s) == pytest.approx(400.0)
    assert run.eta_s == pytest.approx(90 * 400.0)
    for n in (11, 12):
        row = f"step {n}/100 loss=2.5\n".encode()
        tell(
            store,
            Bytes(1, KEY[1], "log", 1, 1000 * n, row, "001.log", WALL + 3500 + 10 * n),
            at=3500.0 + 10 * n,
        )
    assert run.step_s == 10.0


def test_a_total_that_was_passed_is_none(store: Store) -> None:
    run = hear(store, [(1.0, "Step 1/3 loss=2\nStep 2/3 loss=2\n")])
    assert run.max_steps == 3
    hear(store, [(2.0, "Step 1/3 loss=2\nStep 2/3 loss=2\nStep 9/3 loss=2\n")])
    assert (run.max_steps, run.eta_s) == (0, None)


@pytest.mark.parametrize("every", [0.5, 5.0, 400.0])
def test_a_live_log_is_never_stalled_while_it_writes_and_is_when_it_freezes(
    store: Store, every: float
) -> None:
    offset = 0
    for n in range(1, 60):
        if n > 3:
            assert lit(store, every * n - 0.01)["idle_s"] == "stepping"
        data = f"step {n}/100 loss={3 - n / 50:.4f}\n".encode()
        tell(store, Bytes(1, KEY[1], "log", 1, offset, data, "001.log", WALL + every * n), at=every * n)
        offset += len(data)
    run, last = store.runs[KEY], every * 59
    assert run.step_s == pytest.approx(every)
    assert run.eta_s == pytest.approx(41 * every)
    assert lit(store, last + 9.9 * every)["idle_s"] == "stepping"
    assert lit(store, last + 10.1 * every)["idle_s"] == "stalled"


def test_scores_and_checkpoints_are_signs_of_life(store: Store) -> None:
    row = "Iter {n}: Train loss 3.8, It/sec 2.0\n"
    hear(store, [(float(n), row.format(n=n)) for n in range(1, 30)])
    assert lit(store, 38.0)["idle_s"] == "stepping"
    assert lit(store, 41.0)["idle_s"] == "stalled"
    tell(store, Bytes(1, KEY[1], "log", 1, 9999, b"Iter 29: Val loss 3.9, Val took 9s\n", "001.log"), at=41.0)
    assert lit(store, 42.0)["idle_s"] == "stepping"


def test_a_run_of_ours_that_evaluates_is_not_stalled(bands: Bands) -> None:
    made = Store(["local"], bands)
    tell(made, LinkChanged(UP), RunsSeen((view(),), WALL))
    tell(made, Bytes(1, KEY[1], "events", 1, 0, events(range(0, 500, 5)).encode(), ""))
    run = made.runs[KEY]
    assert run.row_at is not None
    last = run.row_at - START
    assert lit(made, last + 4.0)["idle_s"] == "stepping"
    assert lit(made, last + 6.0)["idle_s"] == "stalled"
    state = '{{"type":"state","seq":{seq},"attempt":1,"t":{t},"step":495,"phase":"{phase}"}}\n'
    said = state.format(seq=900, t=run.row_t + 1, phase="evaluating").encode()
    tell(made, Bytes(1, KEY[1], "events", 1, 90_000, said, ""), at=last + 1.0)
    assert lit(made, last + 100.0)["idle_s"] == "stepping"
    assert lit(made, last + 190.0)["idle_s"] == "stalled"
    said = state.format(seq=901, t=run.row_t + 9, phase="training").encode()
    tell(made, Bytes(1, KEY[1], "events", 1, 91_000, said, ""), at=last + 9.0)
    assert lit(made, last + 20.0)["idle_s"] == "stalled"


def test_a_silent_link_makes_no_run_stalled(store: Store) -> None:
    hear(store, [(0.5 * n, f"step={n} loss=2.5\n") for n in range(1, 30)])
    assert lit(store, 40.0)["idle_s"] == "stalled"
    tell(store, LinkChanged(LinkState("lagging", 5.0, START, 0)), at=15.0)
    assert lit(store, 40.0)["idle_s"] == "stepping"  # as of when its host was heard last
    tell(store, LinkChanged(LinkState("lost", None, START + 20, 1, "no pong")), at=21.0)
    assert lit(store, 40.0)["idle_s"] == "n/a"


def test_a_number_that_is_none_lights_a_lamp_though_it_has_no_bands(store: Store) -> None:
    run = hear(store, [(1.0, "step=1 loss=2.5 acc=0.5\nstep=2 loss=2.5 acc=0.5\n")])
    assert "loss" not in lit(store, 1.0)
    hear(store, [(2.0, "step=1 loss=2.5 acc=0.5\nstep=2 loss=2.5 acc=0.5\nstep=3 loss=nan acc=0.5\n")])
    assert lit(store, 2.0)["loss"] == "not finite"
    assert "acc" not in lit(store, 2.0)
    assert run.loss != run.loss


def test_an_unknown_log_says_so_after_some_lines_or_some_time_and_never_a_known_one(store: Store) -> None:
    run = hear(store, [(0.0, "it turns\n" * (LINES - 1))])
    assert is_text_only(run)
    assert not is_unknown(run, START + SECONDS - 1)
    assert is_unknown(run, START + SECONDS)
    hear(store, [(1.0, "it turns\n" * LINES)])
    assert is_unknown(run, START + 1.0)
    rows = "".join(f"{example}\n" for example in (EXAMPLES[0], EXAMPLES[0].replace("10", "20")))
    tell(store, Bytes(1, KEY[1], "log", 1, 10_000, rows.encode(), "001.log"), at=2.0)
    assert not is_text_only(run)
    assert not is_unknown(run, START + 9999)


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_a_log_may_print_to_be_known_makes_it_known(store: Store, example: str) -> None:
    run = hear(store, [(0.0, f"hello\n{example}\n{example.replace('10', '20')}\n")])
    assert (run.step, run.loss) == (20, 2.31)


def test_a_run_of_ours_is_never_an_unknown_log(bands: Bands) -> None:
    made = Store(["local"], bands)
    tell(made, RunsSeen((view(),), WALL))
    tell(made, Bytes(1, KEY[1], "log", 1, 0, b"words\n" * 500, "001.log"))
    assert not is_unknown(made.runs[KEY], START + 9999)
