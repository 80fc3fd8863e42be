"""`causality` and `evaluate` on a run, through the command line: what they print, and how they refuse."""

import json
import math
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.trainer.evals.trained import state_root, train
from tests.trainer.loop.tiny import write_text
from tests.trials import trials
from tests.waiting import wait_until
from trainer import cli

FEW = ("--documents", "20")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("trained")
    with state_root(folder / "home"):
        yield train(folder)


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = cli.main(list(words))
    said = capsys.readouterr()
    return code, said.out, said.err


def test_causality_tells_a_run_and_its_untrained_twin(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = told(capsys, "causality", str(run), *FEW, "--json")
    found = strictly(out)
    assert (code, out.count("\n"), found["documents"]) == (0, 1, 20)
    assert found["trained"]["scores"]["ce"]["value"] < found["untrained"]["scores"]["ce"]["value"]
    assert found["control_fails"] is True
    assert found["trained"]["wiring"]["sealed"] is True
    assert "is causal" in found["verdict"]
    assert "run/step-" in err


def strictly(out: str) -> Any:
    """Parse JSON, without the NaN that Python would take."""

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no JSON")

    return json.loads(out, parse_constant=refuse)


def test_evaluate_gives_every_number_with_n_and_an_interval(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("evaluate", str(run), *FEW, "--texts", "2", "--length", "8")
    code, out, _ = told(capsys, *words, "--json")
    found = strictly(out)
    assert (code, out.count("\n")) == (0, 1)
    ce = found["scores"]["ce"]
    assert ce["low"] < ce["value"] < ce["high"]
    assert found["scores"]["perplexity"]["value"] == pytest.approx(math.exp(ce["value"]))
    assert [floor["name"] for floor in found["scores"]["floors"]] == ["unigram", "bigram", "trigram"]
    assert len(found["sweep"]["nudges"]) == 6
    assert [change["name"] for change in found["u_changes"]][:2] == ["shuffled", "at 0.1"]
    assert set(found["absent"]) == {"recall"}
    assert {interval["n"] for interval in intervals(found)} <= {20, 2, 1, 0}


def intervals(value: Any) -> Iterator[dict[str, Any]]:
    """Every interval in a tree of plain values."""
    if isinstance(value, dict) and set(value) == {"value", "low", "high", "n"}:
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from intervals(one)
    elif isinstance(value, list):
        for one in value:
            yield from intervals(one)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("{missing}",), "`photinus ls` lists the runs"),
        (("{empty}",), "no valid checkpoint yet; train it first"),
        (("{run}", "--data", "{missing}"), "there is no file or folder"),
        (("{run}", "--device", "abacus"), "give cpu, cuda, cuda:N or mps"),
        (("{run}", "--documents", "5"), "20 are needed"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_remedy(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    (tmp_path / "empty").mkdir()
    places = {"missing": tmp_path / "missing", "empty": tmp_path / "empty", "run": run}
    for command in ("causality", "evaluate"):
        code, out, err = told(capsys, command, *(word.format(**places) for word in words))
        assert (code, out) == (3, "")
        assert said in err.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("causality", "--documents", "-1"), "--documents is out of range: it must be 0 (all) or more"),
        (("evaluate", "--texts", "0"), "--texts is out of range: it must be at least 1"),
        (("sample", "--top-p", "0"), "--top-p is out of range: it must be above 0, at most 1"),
        (("sample", "--temperature", "nan"), "--temperature is out of range: it must be 0 or more"),
    ],
)
def test_a_value_out_of_range_is_a_usage_error_that_names_the_range(
    run: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    name, *rest = words
    code, out, err = told(capsys, name, str(run), *rest)
    assert (code, out) == (2, "")
    assert said in err


def test_a_torn_checkpoint_is_refused(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torn = tmp_path / "run" / "checkpoints"
    shutil.copytree(run / "checkpoints", torn)
    newest = max(torn.iterdir())
    weights = newest / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    code, out, err = told(capsys, "evaluate", str(newest))
    assert (code, out) == (3, "")
    assert "model.safetensors" in err


def test_ctrl_c_is_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("trainer.commands.evaluate.run", interrupted)
    code, out, err = told(capsys, "evaluate", "anything")
    assert (code, out) == (128 + signal.SIGINT, "")
    assert err.strip() == "photinus-train: interrupted"


@pytest.mark.chaos
@pytest.mark.skipif(trials(0, 1) == 0, reason="a process of its own; make chaos runs it")
def test_ctrl_c_ends_an_evaluation_at_once(run: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "trainer", "evaluate", str(run), "--documents", "0", "--length", "100000"]
    said = tmp_path / "stderr"
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a suite in the background ignores it
    try:
        with said.open("w") as stderr:
            process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=stderr, text=True)
    finally:
        signal.signal(signal.SIGINT, before)
    try:
        wait_until(lambda: "sampling" in said.read_text(), 120)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, out) == (128 + signal.SIGINT, "")
    assert "Traceback" not in said.read_text()


@pytest.mark.chaos
@pytest.mark.skipif(trials(0, 1) == 0, reason="trains twice; make chaos runs it")
def test_another_text_is_scored_in_the_byte_pairs_of_the_checkpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sets = ("data.tokenizer=bpe", "data.vocab=512")
    other = write_text(tmp_path / "other.txt", seed=2, sentences=3000)
    scored = []
    with state_root(tmp_path / "home"):
        run = train(tmp_path, sets)
        words = ("evaluate", str(run), "--data", str(other), *FEW, "--texts", "1", "--length", "8", "--json")
        for _ in range(2):
            code, out, _ = told(capsys, *words)
            assert code == 0
            scored.append(strictly(out)["scores"]["ce"])
            shutil.rmtree(tmp_path / "home" / "cache")  # pairs that were learnt here are nobody's any more
    assert scored[0] == scored[1]
