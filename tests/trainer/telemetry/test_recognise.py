from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.telemetry import table
from trainer.telemetry.events import Checkpoint, Evaluation, Event, Metrics, Note, Phase, Resume, Sample
from trainer.telemetry.formats.kssm.kssm_v3_lines import parse_row
from trainer.telemetry.recognise import FileRecogniser, UnrecognisedError, events_of
from trainer.telemetry.recogniser import LogRecogniser

HEADER = "  Step |   Total |      CE |     Reg |       R |   u_val | GradNorm"
RULE = "=" * 80


def row(step: int, total: str = "  3.562", reg: str = " 0.6477", last: str = "   1.334") -> str:
    return f"{step:6d} | {total} |   2.915 | {reg} | 0.0471 |   1.043 | {last}"


def read(*lines: str, rest: str = "") -> list[Event]:
    """Events of a log that has begun with its header."""
    log = LogRecogniser()
    return log.feed("".join(f"{line}\n" for line in (HEADER, *lines)).encode() + rest.encode()) + log.finish()


def rows(events: list[Event]) -> list[Metrics]:
    return [event for event in events if isinstance(event, Metrics)]


def test_a_row_becomes_metrics_whose_u_is_a_mean() -> None:
    (event,) = read(row(420))
    assert isinstance(event, Metrics)
    assert event.step == 420
    assert event.u_stat == "mean"
    assert event.values == {
        "total": 3.562, "ce": 2.915, "reg": 0.6477, "R": 0.0471, "u_val": 1.043, "grad_norm": 1.334,
    }  # fmt: skip


def test_the_authors_narrower_last_column_is_read_too() -> None:
    found = parse_row("    20 | 338.892 | 338.883 |  0.0092 | 0.0148 |   1.034 |  70.619")
    assert found is not None
    assert found.values["grad_norm"] == 70.619


@pytest.mark.parametrize(
    ("last", "name"), [("1.50e-04", "lr"), ("0.00e+00", "lr"), ("   0.015", "grad_norm")]
)
def test_the_last_column_is_told_by_its_pattern_not_by_its_header(last: str, name: str) -> None:
    for header in (HEADER, HEADER.replace("GradNorm", "LR")):
        (event,) = read(header, row(20, last=last))
        assert isinstance(event, Metrics)
        assert event.values[name] == float(last)


def test_negative_numbers_nan_inf_and_overflowing_widths_are_read() -> None:
    wild = " 12345678 | -123456789.123 | -0.001 | -15.7560 | nan |  -inf | inf"
    (event,) = read(wild)
    assert isinstance(event, Metrics)
    assert event.step == 12345678
    assert event.values["total"] == -123456789.123
    assert event.values["reg"] == -15.756
    assert event.nonfinite == ("R", "u_val", "grad_norm")
    assert event.values["R"] is None


@pytest.mark.parametrize(
    "line",
    [
        HEADER,
        "-" * 80,
        "    25 | 126.203 | 485165195.4 | 0.0658±0.0134 |   ∅ Unformed | 1.50e-04",  # v2: six fields
        "Epoch  1/10 | Loss: 2.477/6.991 | PPL: 1087.1 | R: 0.147±0.010 [0.09,0.19] | ☾ Intimacy | 145.9s",
        "a | b | c | d | e | f | g",
        "20 | 1 | 2 | 3 | 4 | 5 | 6",  # no decimals: somebody else's table
        "",
    ],
)
def test_other_lines_are_no_rows(line: str) -> None:
    assert parse_row(line) is None


def test_a_step_that_goes_backwards_after_a_resume_supersedes() -> None:
    events = read(row(420), row(440), "  Resumed from step 400 (full state)", row(420, "  3.000"))
    resume = next(event for event in events if isinstance(event, Resume))
    assert (resume.step, resume.attempt) == (400, 2)
    assert [event.attempt for event in rows(events)] == [1, 1, 2]


def test_a_step_that_goes_backwards_without_a_word_supersedes_too() -> None:
    events = read(row(420), row(440), row(20, "  9.000"))
    assert [event.step for event in events if isinstance(event, Resume)] == [19]


def test_growing_steps_supersede_nothing() -> None:
    assert not [event for event in read(row(20), row(40), row(60)) if isinstance(event, Resume)]


def test_weights_loaded_without_optimizer_count_from_zero() -> None:
    events = read(
        row(420), "  Loaded model weights from step 400 (fresh optimizer for transfer learning)", row(20)
    )
    assert [event.step for event in events if isinstance(event, Resume)] == [0]
    assert any(isinstance(event, Note) for event in events)


def test_a_log_that_was_written_twice_counts_once() -> None:
    assert len(rows(read(row(20), row(20), row(40), row(40)))) == 2


EVALUATION = [
    "", RULE, "EVALUATION @ Step 100", RULE, "  Val Loss: 5.8126", "  Val CE: 5.4066",
    "  Val Perplexity: 222.87", "  Val R: 0.0539", "  Val u_val: 0.3606",
    "  ✓ New best val loss! Saving best_model.pt", "  Checkpoint saved: run_v3/checkpoint_100.pt",
    "  Best model saved: run_v3/best_model.pt", "",
    "  Sample Generation:", "    Text: The the", "th | theng", "gggrer...", "    R: 0.0456", RULE,
]  # fmt: skip


def test_an_evaluation_block_gives_scores_checkpoints_and_a_sample_with_raw_newlines() -> None:
    events = read(row(100), *EVALUATION, row(120))
    scores, saved, best, sample = events[1], events[2], events[3], events[4]
    assert isinstance(scores, Evaluation)
    assert (scores.step, scores.best) == (100, True)
    assert scores.values == {
        "val_loss": 5.8126, "val_ce": 5.4066, "val_ppl": 222.87, "val_R": 0.0539, "val_u": 0.3606,
    }  # fmt: skip
    assert isinstance(saved, Checkpoint)
    assert (saved.step, saved.kind) == (100, "periodic")
    assert isinstance(best, Checkpoint)
    assert (best.step, best.kind, best.path) == (100, "best", "run_v3/best_model.pt")
    assert isinstance(sample, Sample)
    assert (sample.text, sample.R) == ("The the\nth | theng\ngggrer", (0.0456,))
    assert [event.step for event in rows(events)] == [100, 120]


def test_an_evaluation_without_a_best_mark_is_no_best() -> None:
    events = read(row(100), *[line for line in EVALUATION if "New best" not in line])
    assert not next(event for event in events if isinstance(event, Evaluation)).best


def test_an_evaluation_cut_by_the_end_of_the_file_is_told() -> None:
    *_, event = read(row(500), "EVALUATION @ Step 500", "  Val CE: nan")
    assert isinstance(event, Evaluation)
    assert event.nonfinite == ("val_ce",)


def test_a_checkpoint_line_takes_the_step_of_the_line_before() -> None:
    *_, event = read(row(380), "💾 Checkpoint @ Step 400", "  Checkpoint saved: out/latest.pt")
    assert isinstance(event, Checkpoint)
    assert (event.step, event.path) == (400, "out/latest.pt")


@pytest.mark.parametrize("name", ["llama_v2.pt", "best-of-3", "run7/"])
def test_a_name_that_ends_in_a_digit_is_no_step(name: str) -> None:
    *_, event = read(row(380), f"  Checkpoint saved: out/{name}")
    assert isinstance(event, Checkpoint)
    assert event.step == 380


def test_phases_are_told() -> None:
    events = read(
        RULE, "K-SSM v3 BISTABLE TRAINING", RULE,
        "[1] Dataset", "  Tokenizing train split (one-time operation)...", "      5,000/20,000 chunks...",
        "[3] Training Loop", HEADER, row(20), "Training Finished.",
    )  # fmt: skip
    phases = [event for event in events if isinstance(event, Phase)]
    assert [phase.phase for phase in phases] == [
        "loading",
        "tokenising",
        "tokenising",
        "training",
        "finished",
    ]
    assert (phases[2].done, phases[2].total) == (5000, 20000)


def test_an_error_is_a_note_and_says_nothing_of_the_run() -> None:
    events = read(row(20), "Error: CUDA out of memory")
    assert [event.message for event in events if isinstance(event, Note)] == ["CUDA out of memory"]
    assert not [event for event in events if isinstance(event, Phase)]


def test_an_error_before_any_row_is_somebody_elses() -> None:
    assert read("Error: no cached weights, downloading them instead", "Training Finished.") == []


def test_a_last_row_cut_short_is_counted_and_not_believed() -> None:
    log = LogRecogniser()
    log.feed(f"{HEADER}\n{row(20)}\n{row(40)[:-1]}".encode())
    assert log.finish() == []
    assert log.torn == 1


def test_a_last_row_without_newline_that_cannot_have_been_cut_is_taken() -> None:
    log = LogRecogniser()
    assert len(log.feed(f"{HEADER}\n{row(20)}\n{row(40)}".encode()) + log.finish()) == 2
    assert log.torn == 0


@settings(max_examples=200)
@given(st.text(alphabet="0123456789.,|-e+naif /@SESValCERkpointhcus:\n 💾", max_size=300))
def test_no_text_breaks_the_recogniser(text: str) -> None:
    log = LogRecogniser()
    log.feed(f"{HEADER}\n{text}\n{'9' * 5000} | 1.0 | 1.0\n EVALUATION @ Step {'9' * 5000}\n".encode())
    log.feed(f"      ,/{'9' * 5000} chunks...\n{row(20)}\n{row(40)}\n".encode())
    log.finish()
    assert log.ledger.rows >= 1


def test_bytes_cut_anywhere_give_the_same_events() -> None:
    data = "\n".join([HEADER, row(20), *EVALUATION, row(120), ""]).encode()
    whole = LogRecogniser().feed(data)
    assert len(rows(whole)) == 2
    for size in (1, 7, 64):
        log = LogRecogniser()
        assert [event for i in range(0, len(data), size) for event in log.feed(data[i : i + size])] == whole


def test_a_file_is_recognised_as_table_or_events(tmp_path: Path) -> None:
    for name, data, events, torn in (
        ("kssm-v3", "\n".join([HEADER, "-" * 80, row(20), row(40), row(60)[:30]]), 2, 1),
        ("events", '{"torn\n{"type":"metrics","seq":1,"attempt":1,"t":1.0,"step":5,"ce":2.0}\n', 1, 1),
    ):
        file = FileRecogniser()
        found = file.feed(data.encode()) + file.finish()
        assert (file.name, len(found), file.torn) == (name, events, torn)


def test_any_other_file_is_refused_with_what_is_known(tmp_path: Path) -> None:
    path = tmp_path / "poem.txt"
    path.write_text(f"a | b | c | d | e | f | g\nstep by step\nK-SSM v3 is a model\n{HEADER}\n{{}}\n")
    with pytest.raises(UnrecognisedError, match="kssm-v3"):
        list(events_of(path))


def test_our_own_table_is_read_back() -> None:
    values = {"total": 2.5, "ce": 2.25, "reg": -0.125, "R": 0.5, "u_val": 1.5, "grad_norm": 0.75}
    scores = {"val_loss": 2.5, "val_ce": 2.25, "val_ppl": 9.5, "val_R": 0.5, "val_u": 1.5}
    lines = [*table.header(), table.row(20, values), *table.eval_head(20, scores, best=True, saves=False)]
    metrics, scored = read(*lines)
    assert isinstance(metrics, Metrics)
    assert metrics.values == values
    assert isinstance(scored, Evaluation)
    assert scored.best
    assert scored.values == scores
