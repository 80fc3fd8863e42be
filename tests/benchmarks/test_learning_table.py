"""Tables and pictures of the study of learning."""

import xml.etree.ElementTree as ET

import pytest

from benchmarks.learning.compare import paired
from benchmarks.learning.fingerprint import bare
from benchmarks.learning.ledger import Ledger, Trial
from benchmarks.learning.picture import Panel, draw
from benchmarks.learning.plan import SEEDS, SHORT, Scope
from benchmarks.learning.tables import page
from tests.benchmarks.test_learning_plan import GPT, KSSM, SCOPE, after_the_rates, cost, run

SVG = "{http://www.w3.org/2000/svg}"


def test_a_paired_difference_has_students_interval() -> None:
    found = paired([1.0, 1.1, 1.2], [1.1, 1.3, 1.5])
    assert found.value == pytest.approx(-0.2)
    assert found.half == pytest.approx(4.303 * 0.1 / 3**0.5)
    assert not found.settled
    assert paired([1.0, 1.1], [2.0, 2.1]).settled
    assert not paired([1.0], [2.0]).settled
    with pytest.raises(ValueError, match="0 pairs"):
        paired([], [])


def test_the_page_says_what_is_there_and_what_is_not() -> None:
    runs = tuple(after_the_rates())
    ledger = Ledger(runs, (cost(),), (), (), {run.trial: run for run in runs})
    made = page(ledger, SCOPE)
    assert (
        "| gpt | 1 | **1.400: 0.006, 100, 0.98** | 1.450: 0.006, 100, 0.95; 1.450: 0.006, 100, 0.99; " in made
    )
    assert "Equal CPU time, that of 1M bytes: not measured yet." in made
    assert "| rates | 13 | 13 |" in made
    assert "| equal-tokens | 0 | 6 |" in made


def test_differences_are_of_runs_that_have_a_pair() -> None:
    ledger = with_comparison(kssm=(1.3, 1.4, 1.5), gpt=(1.5, 1.6))
    made = page(ledger, SCOPE)
    assert "| gpt | 1.00M | 1.550 | -0.200 ± 0.000 | 2 |" in made
    assert "| kssm-v3 | 1.00M | 1.400 |  | 3 |" in made


def test_at_equal_cpu_time_a_run_of_nearly_as_many_steps_counts_and_at_equal_tokens_it_does_not() -> None:
    near = run(Trial("gpt", "python-docs", round(1.73 * SHORT), SEEDS[0], GPT), 1.45)
    ours = run(Trial("kssm-v3", "python-docs", SHORT, SEEDS[0], KSSM), 1.4)
    runs = (*after_the_rates(), ours, near)
    made = page(Ledger(runs, (cost(),), (), (), {one.trial: one for one in runs}), SCOPE)
    equal_tokens, equal_cpu = made.split("Equal CPU time, that of 1M bytes")[:2]
    assert "| gpt | not yet | not yet | not yet | 0 |" in equal_tokens
    assert "| gpt | 1.73M | 1.450 | -0.050 | 1 |" in equal_cpu


def with_comparison(**scores: tuple[float, ...]) -> Ledger:
    runs = after_the_rates()
    for name, ces in scores.items():
        model = {"kssm": "kssm-v3"}.get(name, name)
        setting = KSSM if name == "kssm" else GPT
        for seed, ce in zip(SEEDS, ces, strict=False):
            runs.append(run(Trial(model, "python-docs", SHORT, seed, setting), ce))
    return Ledger(tuple(runs), (), (), (), {one.trial: one for one in runs})


def test_an_empty_file_makes_a_page_too() -> None:
    assert "Not measured yet" in page(Ledger(), Scope(("gpt",), ("books",)))


def test_a_picture_is_well_formed_and_names_every_line_apart() -> None:
    lines = {"gpt": [(1.0, 2.0), (4.0, 1.51)], "a < b": [(1.0, 2.1), (4.0, 1.5)]}
    root = ET.fromstring(draw([Panel("t", "x", "y", lines, 1.0, 3.0, {"bigram": 2.5}, log_x=True)]))
    assert len(list(root.iter(f"{SVG}polyline"))) == 2
    heights = {one.text: float(one.attrib["y"]) for one in root.iter(f"{SVG}text") if one.text in lines}
    assert len(heights) == 2
    assert abs(heights["gpt"] - heights["a < b"]) >= 12


def test_comments_are_no_change_of_the_code() -> None:
    assert bare('"""Doc."""\nx = 1  # why\n') == bare("x  =  1\n")
    assert bare("x = 1\n") != bare("x = 2\n")
