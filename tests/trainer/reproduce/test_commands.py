"""Each command from end to end, on a few steps; what it says of a stop, and of text that is not there."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.trainer.data.prose import prose
from trainer import cli
from trainer.job.stop import Stop
from trainer.models import create
from trainer.models.published import PublishedV2
from trainer.reproduce.v2 import behind_norm, moved

CLAIMS = {"kssm-v1": 3, "kssm-v2": 4, "kssm-v3": 6, "ablation": 5}


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A text, a home of its own, and the signal handlers as they were afterwards."""
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "home"))
    path = tmp_path / "book.txt"
    path.write_text(prose(30_000))
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield path
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("name", CLAIMS)
def test_a_quick_rerun_prints_its_claims_and_judges_none(
    name: str, book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["reproduce", name, "--quick", "--json", "--data", str(book)]
    assert cli.main(words) == 0
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert report["quick"]
    assert len(report["claims"]) == CLAIMS[name]
    for claim in report["claims"]:
        assert claim["holds"] is None
        assert claim["published"]
        assert claim["predicted"]
        assert claim["ours"]
    assert f"reproduce {name}" in said.err
    assert "left" in said.err


def test_a_stop_leaves_no_verdict_and_says_where_to_go_on(
    book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(stop: Stop, farewell: str) -> None:
        assert "checkpoint" not in farewell
        stop._signal = "SIGINT received"

    monkeypatch.setattr(Stop, "install", interrupted)
    out = tmp_path / "out"
    words = ["reproduce", "kssm-v3", "--quick", "--data", str(book), "--out", str(out)]
    assert cli.main(words) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "SIGINT received" in said.err
    assert str(out) in said.err


def test_text_that_is_not_there_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["reproduce", "kssm-v1", "--data", "/nowhere/at-all.txt"]) == 2
    assert "/nowhere/at-all.txt" in capsys.readouterr().err


def test_forcing_R_is_seen_to_do_nothing_and_the_control_is_seen_to_do_something() -> None:
    torch.manual_seed(0)
    model = create("kssm-v2-original", 31, dim=32, layers=2, oscillators=24, group=24, positions=16)
    assert isinstance(model, PublishedV2)
    texts = torch.randint(31, (6, 16))
    assert moved(model.forced, model, texts).high < 1e-3
    assert moved(behind_norm(model), model, texts).low > 1e-2
