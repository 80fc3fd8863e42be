"""Sources are mixed by weight, to the end of the first, and nothing is read twice."""

from pathlib import Path

import pytest

from trainer.config.config_error import ConfigError
from trainer.config.data import DataConfig
from trainer.config.data_source import absolute_source, demand_source, mixture_parts
from trainer.data import prepare
from trainer.data.prepare import open_source
from trainer.data.progress import Pulse

PARAGRAPHS = 400


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """Two texts of one size, told apart by their letters."""
    for letter in "ab":
        lines = (f"{letter * 200} {letter}{number}" for number in range(PARAGRAPHS))
        (tmp_path / f"{letter}.txt").write_text("\n\n".join(lines))
    return tmp_path


def mixed(texts: Path, first: float, second: float) -> DataConfig:
    return DataConfig(source=f"mix:{first:g}*{texts}/a.txt,{second:g}*{texts}/b.txt", val_fraction=0.2)


def counts(text: str) -> tuple[int, int]:
    return text.count("a" * 200), text.count("b" * 200)


def test_every_part_of_the_text_has_the_proportion_of_the_weights(texts: Path) -> None:
    source = open_source(mixed(texts, 3, 1))
    source.stamp()
    pieces = [one.text for one in source.documents(Pulse())]
    a, b = counts("\n\n".join(pieces))
    assert a == PARAGRAPHS, "the first to be used up is read whole"
    assert b == pytest.approx(PARAGRAPHS / 3, abs=90)
    half = counts("\n\n".join(pieces[: len(pieces) // 2]))
    assert half[0] == pytest.approx(3 * half[1], abs=90)
    assert len(set("\n\n".join(pieces).split("\n\n"))) == a + b, "nothing is read twice"
    assert "mixed until a.txt was used up" in source.notes[-1]


def test_weights_and_contents_are_part_of_what_the_tokens_are_known_by(texts: Path, tmp_path: Path) -> None:
    def fingerprint(first: float, second: float) -> str:
        with prepare(mixed(texts, first, second), cache_dir=tmp_path / "cache") as corpus:
            return corpus.fingerprint

    one = fingerprint(3, 1)
    assert fingerprint(3, 1) == one
    assert fingerprint(1, 3) != one
    (texts / "b.txt").write_text((texts / "b.txt").read_text() + "\n\nmore")
    assert fingerprint(3, 1) != one


def test_paths_become_absolute_and_each_part_must_be_there(
    texts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(texts)
    stored = absolute_source("mix:2*a.txt, 0.5*python-docs")
    assert stored == f"mix:2*{texts}/a.txt,0.5*python-docs"
    assert mixture_parts(stored) == [(2.0, f"{texts}/a.txt"), (0.5, "python-docs")]
    assert mixture_parts("a.txt") is None
    demand_source(stored, "--data", {})
    with pytest.raises(ConfigError, match="there is no file or folder"):
        demand_source("mix:1*a.txt,1*gone.txt", "--data", {})


@pytest.mark.parametrize(
    ("source", "why"),
    [("mix:", "no part"), ("mix:a.txt,1*b.txt", "no part"), ("mix:0*a.txt,1*b.txt", "no part"),
     ("mix:1*a.txt", "2 to 32"), ("mix:1*a.txt,2*a.txt", "different"), ("mix:1*recall,1*a", "be mixed"),
     ("mix:-1*a.txt,1*b", "no part"), ("mix:1e9*a.txt,1*b", "no part")],
)  # fmt: skip
def test_what_is_no_mixture_is_refused_with_how_one_is_written(source: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        mixture_parts(source)
