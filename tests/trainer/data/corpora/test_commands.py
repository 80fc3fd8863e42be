"""`photinus-train corpus` as its caller sees it."""

import io
import json
import math
import os
import signal
from pathlib import Path

import pytest

from tests.trainer.data.corpora.library import book, opened
from tests.trainer.data.prose import prose
from trainer.cli import main
from trainer.commands.bars import Bars, bar
from trainer.commands.interrupts import Interrupts
from trainer.config.config_error import ConfigError
from trainer.config.data_source import absolute_source, demand_source
from trainer.data.progress import DataProgress


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for name, seed in (("a", 1), ("b", 2), ("c", 1)):
        (tmp_path / "in" / f"{name}.txt").write_text(prose(9_000, seed))
    return tmp_path / "in"


def test_a_corpus_is_built_added_to_and_counted(
    texts: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["corpus", "build", "books", str(texts), "--json"]) == 0
    built = json.loads(capsys.readouterr().out)
    assert (built["documents"], built["added"], built["duplicates"], built["finished"]) == (2, 2, 1, True)
    assert built["folder"] == str(home / "corpora" / "books")
    assert main(["corpus", "build", "books", str(texts)]) == 3
    (texts / "d.txt").write_text(f"Ünïque.\n\n{prose(3_000, 4)}")
    assert main(["corpus", "add", "books", str(texts)]) == 0
    said = capsys.readouterr()
    assert "1 new, 3 there already" in said.out
    assert "a corpus books of 2 documents already" in said.err
    assert main(["corpus", "stats", "books", "--json", "--vocab", "512"]) == 0
    stats = json.loads(capsys.readouterr().out)
    assert (stats["name"], stats["documents"], stats["duplicates"]) == ("corpus:books", 3, 1)
    assert stats["bytes"] == stats["characters"] + 2  # of Ü and ï
    assert stats["biggest"][0][1] >= stats["biggest"][1][1] > stats["biggest"][2][1]
    bytewise, pairs = stats["tokenized"]
    assert (bytewise["vocab"], bytewise["bytes_per_token"]) == (256, 1.0)
    assert pairs["vocab"] == 512
    assert 1.5 < pairs["bytes_per_token"] < 6
    assert bytewise["floors"]["unigram"] > bytewise["floors"]["bigram"] > bytewise["floors"]["trigram"]
    for one in (bytewise, pairs):
        per_byte = one["floors"]["trigram"] / one["bytes_per_token"] / math.log(2)
        assert one["trigram_bits_per_byte"] == pytest.approx(per_byte)


def test_stats_for_people_name_what_was_skipped(texts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (texts / "evil\x1b[2J.txt").write_bytes(b"\0\0")
    main(["corpus", "build", "books", str(texts)])
    assert "\x1b" not in capsys.readouterr().err
    for name in ("books", "corpus:books", str(texts)):
        assert main(["corpus", "stats", name, "--vocab", "512"]) == 0
        said = capsys.readouterr().out
        assert "skipped      1" in said
        assert "evil\\x1b[2J.txt is not a text file" in said
        assert "3-gram" in said
        assert "\x1b" not in said


def test_text_too_short_to_split_is_counted_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.txt").write_text("a few words")
    assert main(["corpus", "stats", str(tmp_path / "a.txt")]) == 0
    said = capsys.readouterr().out
    assert "11 bytes" in said
    assert "note: a.txt holds only" in said


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["build", "../up", "IN"], 2, "no name of a corpus"),
        (["build", "x", "no-such-path"], 2, "no file or folder no-such-path"),
        (["build", "x", "preset:nope"], 2, "preset:kssm-log"),
        (["build", "x", "gutenberg:11", "--gutenberg", "file:///etc"], 2, "no address"),
        (["build", "x", "gutenberg:11", "--pause", "-1"], 2, "--pause"),
        (["build", "x", "gutenberg:11", "--offline"], 3, "build x FOLDER"),
        (["build", "x", "EMPTY"], 3, "nothing was made"),
        (["add", "x", "IN"], 3, "no corpus x"),
        (["stats", "nope"], 2, "no corpus, file or folder 'nope'"),
        (["stats", "IN", "--vocab", "3"], 2, "--vocab"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_leaves_nothing(
    words: list[str], code: int, said: str, texts: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (texts.parent / "empty").mkdir()
    places = {"IN": str(texts), "EMPTY": str(texts.parent / "empty")}
    assert main(["corpus", *(places.get(word, word) for word in words)]) == code
    caught = capsys.readouterr()
    assert caught.out == ""
    assert said in caught.err
    assert not list(home.glob("corpora/*"))


def test_books_are_fetched_from_where_it_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with opened() as library:
        library.put(11, book("Alice", "Lewis Carroll", 11))
        options = ["--gutenberg", library.base, "--pause", "0"]
        assert main(["corpus", "build", "books", "gutenberg:11,12", *options]) == 0
        said = capsys.readouterr()
        assert "[1/2] 11 Alice, Lewis Carroll" in said.err
        assert "gutenberg:12: the server has no plain text of this number" in said.err
    assert main(["corpus", "add", "books", "gutenberg:11,13", *options]) == 1  # the server is gone
    said = capsys.readouterr()
    assert "1 of the books could not be had" in said.err
    assert "corpus add books FOLDER" in said.err
    assert "not complete" not in said.out


def test_a_full_disk_is_told(
    texts: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert main(["corpus", "build", "books", str(texts)]) == 1
    assert "the disk is full: make room, then run the same command again" in capsys.readouterr().err
    assert main(["corpus", "build", "books", str(texts)]) == 0


def test_a_run_is_refused_at_once_where_there_is_no_such_corpus(texts: Path) -> None:
    assert absolute_source("corpus:books") == "corpus:books"
    with pytest.raises(ConfigError, match="corpus build books SOURCE"):
        demand_source("corpus:books", "--data")
    with pytest.raises(ConfigError, match="no name of a corpus"):
        demand_source("corpus:../books", "--data")
    main(["corpus", "build", "books", str(texts), "--json"])
    demand_source("corpus:books", "--data")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_bars_are_drawn_on_a_terminal_only_and_talk_stands_above_them() -> None:
    assert bar(DataProgress("read", 1, 2)).startswith("reading              ████████████░░░░░░░░░░░░  50%")
    assert bar(DataProgress("pause", 3, 0)) == "waiting between requests"
    for stream, drawn in ((Terminal(), True), (io.StringIO(), False)):
        bars = Bars(stream)
        bars(DataProgress("read", 1, 2))
        bars.say("a\x1b[2Jb")
        bars.clear()
        assert ("\r\x1b[K" in stream.getvalue()) is drawn
        assert ("█" in stream.getvalue()) is drawn
        assert stream.getvalue().endswith("a\\x1b[2Jb\n")


def test_the_first_ctrl_c_asks_and_the_second_insists() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Interrupts() as asked:
        assert not asked()
        os.kill(os.getpid(), signal.SIGINT)
        assert asked()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
