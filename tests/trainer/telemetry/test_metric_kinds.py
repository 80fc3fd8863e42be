"""Kinds and units of metrics, by their names."""

import pytest

from trainer.telemetry.metric_kinds import base_of, falls, kind_of, unit_of


@pytest.mark.parametrize(
    ("name", "kind", "unit"),
    [
        ("loss", "loss", ""), ("val_loss", "loss", ""), ("train/box_loss", "loss", ""), ("ce", "loss", ""),
        ("val_bpb", "loss", "bits/byte"), ("eval_wer", "loss", ""), ("error_rate", "loss", ""),
        ("normalized_loss", "loss", ""), ("accuracy", "ratio", ""), ("val_acc", "ratio", ""),
        ("metrics/mAP50(B)", "ratio", ""), ("mfu", "ratio", "%"), ("R", "ratio", ""),
        ("rewards/mean", "score", ""), ("kl", "score", ""), ("CORE metric", "score", ""),
        ("grad_norm", "norm", ""), ("residual_norm_last", "norm", ""), ("lr", "rate", ""),
        ("nce_temperature", "rate", ""), ("tokens_per_s", "throughput", "tokens/s"),
        ("eval_samples_per_second", "throughput", "samples/s"), ("tok/sec", "throughput", "tokens/s"),
        ("it_per_s", "throughput", "it/s"), ("wps", "throughput", "words/s"),
        ("model_tflops_per_gpu", "throughput", ""), ("peak_mem_gb", "memory", "GB"),
        ("memory/max_active (GiB)", "memory", "GiB"), ("memory_percent", "memory", "%"),
        ("step_ms", "time", "ms"), ("val_time_s", "time", "s"), ("total_time_min", "time", "min"),
        ("eval_runtime", "time", ""), ("tokens", "count", "tokens"), ("consumed samples", "count", ""),
        ("epoch", "count", ""), ("number of skipped iterations", "count", ""), ("loss_scale", "number", ""),
        ("rollout/ep_rew_mean", "score", ""), ("AverageEpRet", "score", ""), ("LossPi", "loss", ""),
        ("time/fps", "throughput", "frames/s"), ("time/iterations", "count", ""),
        ("gate_open", "number", ""), ("u_val", "number", ""), ("members", "number", ""), ("", "number", ""),
    ],
)  # fmt: skip
def test_a_name_says_what_is_measured(name: str, kind: str, unit: str) -> None:
    assert (kind_of(name), unit_of(name)) == (kind, unit)


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("val_loss", "loss"), ("eval/acc", "acc"), ("train/loss", "loss"), ("valid-ppl", "ppl"),
        ("loss", "loss"), ("value", "value"), ("evaluation", "evaluation"), ("training", "training"),
    ],
)  # fmt: skip
def test_a_held_out_metric_is_known_by_its_name(name: str, base: str) -> None:
    assert base_of(name) == base


def test_losses_fall_and_scores_do_not() -> None:
    assert falls("val_loss")
    assert not falls("accuracy")
