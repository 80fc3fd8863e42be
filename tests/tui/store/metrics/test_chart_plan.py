"""Which charts a run has, by the metrics that it tells."""

import pytest

from tui.store.metrics.catalogue import Catalogue, held_out_of, loss_of, metric
from tui.store.metrics.chart_plan import MOST, charts, put_on_chart

KURAMOTO = (
    "total", "ce", "reg", "R", "coherence", "u_val", "u_low", "u_high", "grad_norm", "lr", "tokens",
    "tokens_per_s", "step_ms", "eta_s", "overhead", "R_predicted",
)  # fmt: skip


def told(*names: str, scored: tuple[str, ...] = ()) -> Catalogue:
    """A catalogue of these, and of these among the scores of an evaluation."""
    return {name: metric(name, 1, scored=name in scored) for name in (*names, *scored)}


def shown(catalogue: Catalogue, *chosen: str, ours: bool = False) -> list[tuple[str, str]]:
    """Metric and what is drawn beside it, of each chart."""
    return [(plan.metric, plan.marks) for plan in charts(catalogue, chosen, ours=ours)]


def test_a_kuramoto_run_has_its_four_charts_before_and_after_its_first_row() -> None:
    before = charts({}, ours=True)
    after = charts(told(*KURAMOTO, scored=("val_ce", "val_ppl")), ours=True)
    assert (
        [plan.title for plan in before]
        == [plan.title for plan in after]
        == ["loss", "u_val", "R", "grad norm"]
    )
    assert (after[0].unit, after[0].marks, after[2].overlay) == ("nats/token", "val_ce", "R_predicted")


def test_a_command_that_has_told_nothing_has_none() -> None:
    assert charts({}) == ()


@pytest.mark.parametrize(
    ("names", "scored", "wanted"),
    [
        (("loss", "grad_norm", "lr", "epoch"), ("val_loss", "eval_runtime"),
         [("loss", "val_loss"), ("grad_norm", ""), ("lr", "")]),
        (("accuracy", "loss", "step_ms"), ("val_accuracy", "val_loss"),
         [("loss", "val_loss"), ("accuracy", "val_accuracy")]),
        (("loss", "lr"), ("val_loss", "val_accuracy"),
         [("loss", "val_loss"), ("val_accuracy", ""), ("lr", "")]),
        (("train/box_loss", "train/cls_loss", "time"), ("val/box_loss", "val/cls_loss"),
         [("train/box_loss", "val/box_loss"), ("train/cls_loss", "val/cls_loss")]),
        (("total", "ce", "R", "reg"), ("val_ce",), [("ce", "val_ce"), ("R", "")]),
        (("reward", "kl", "loss"), (), [("loss", ""), ("reward", ""), ("kl", "")]),
        ((), ("val_loss",), [("val_loss", "")]),
        (("epoch", "step_ms"), (), []),
        (("loss", "acc", "f1", "lr", "tokens_per_s", "x"), (),
         [("loss", ""), ("acc", ""), ("f1", ""), ("lr", "")]),
    ],
)  # fmt: skip
def test_charts_follow_what_is_told(
    names: tuple[str, ...], scored: tuple[str, ...], wanted: list[tuple[str, str]]
) -> None:
    assert shown(told(*names, scored=scored)) == wanted


def test_what_was_chosen_is_shown_where_it_is_told() -> None:
    catalogue = told("loss", "lr", "step_ms", "epoch")
    assert shown(catalogue, "step_ms", "lr") == [("step_ms", ""), ("lr", "")]
    assert shown(catalogue, "u_val", "lr") == [("lr", "")]
    assert shown(catalogue, "u_val") == shown(catalogue)  # nothing of the choice is told: as at first
    assert len(charts(told(*(f"m{n}" for n in range(80))), [f"m{n}" for n in range(80)])) == MOST


@pytest.mark.parametrize(
    ("name", "place", "after"),
    [
        ("d", 1, ["a", "d", "c"]),
        ("c", 0, ["c", "b", "a"]),  # it has a chart: the two change places
        ("a", 0, ["a", "b", "c"]),
        ("d", None, ["a", "b", "c", "d"]),
        ("b", None, ["a", "c"]),
    ],
)
def test_a_metric_is_put_onto_a_chart(name: str, place: int | None, after: list[str]) -> None:
    assert put_on_chart(["a", "b", "c"], name, place) == after


def test_where_every_chart_is_taken_one_more_takes_the_last() -> None:
    full = [f"m{n}" for n in range(MOST)]
    assert put_on_chart(full, "more", None) == [*full[:-1], "more"]


def test_the_loss_and_its_held_out_sister() -> None:
    assert loss_of(told("total", "ce")) == "ce"
    assert loss_of(told("lr", "nll_loss", scored=("val_loss",))) == "nll_loss"
    assert loss_of(told("lr")) == ""
    assert held_out_of("accuracy", told("accuracy", scored=("val_acc",))) == "val_acc"
    assert held_out_of("lr", told("lr", scored=("val_loss",))) == ""
    assert held_out_of("val_loss", told(scored=("val_loss", "test_loss"))) == ""
