"""Text files and folders as sources."""

import gzip
import json
import zipfile
from pathlib import Path

import pytest

from tests.trainer.data.prose import prose
from trainer.config.data import DataConfig
from trainer.data import DataError, prepare
from trainer.data.progress import Pulse
from trainer.data.sources.text_files import TextFiles


def texts(path: Path, text_field: str = "text") -> list[str]:
    source = TextFiles(path, text_field)
    source.stamp()
    return [document.text for document in source.documents(Pulse())]


def test_every_kind_of_file_in_a_folder_is_read_in_sorted_order(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.txt").write_text("hidden")
    (tmp_path / "a.md").write_text("one")
    (tmp_path / "b" / "c.txt").write_text("two")
    (tmp_path / "b" / "d.jsonl").write_text('{"text":"three"}\n\n{"text":"four"}\n')
    (tmp_path / "e.txt.gz").write_bytes(gzip.compress(b"five"))
    (tmp_path / "f.jsonl.gz").write_bytes(gzip.compress(b'{"text":"six"}'))
    with zipfile.ZipFile(tmp_path / "g.zip", "w") as archive:
        archive.writestr("2.txt", "eight")
        archive.writestr("1.md", "seven")
        archive.writestr("3.png", b"\x89PNG\0")
    (tmp_path / "h.py").write_text("not_read = 1")
    assert texts(tmp_path) == ["one", "two", "three", "four", "five", "six", "seven", "eight"]


def test_another_key_of_jsonl_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"body": "words"}))
    assert texts(tmp_path / "a.jsonl", "body") == ["words"]
    with pytest.raises(DataError, match=r"line 1 has no text under 'text' \(it has: body\)"):
        texts(tmp_path / "a.jsonl")


def _missing(path: Path) -> Path:
    return path / "nowhere"


def _empty_folder(path: Path) -> Path:
    return path


def _no_text(path: Path) -> Path:
    (path / "a.png").write_bytes(b"\x89PNG\0")
    return path


def _binary(path: Path) -> Path:
    (path / "a.txt").write_bytes(b"\0\1\2" * 100)
    return path / "a.txt"


def _only_binary(path: Path) -> Path:
    _binary(path)
    return path


def _torn_gzip(path: Path) -> Path:
    (path / "a.txt.gz").write_bytes(gzip.compress(b"words " * 1000)[:-12])
    return path / "a.txt.gz"


def _no_zip(path: Path) -> Path:
    (path / "a.zip").write_bytes(b"PK nothing")
    return path / "a.zip"


def _not_json(path: Path) -> Path:
    (path / "a.jsonl").write_text('{"text": "fine"}\n{torn')
    return path / "a.jsonl"


def _blank(path: Path) -> Path:
    (path / "a.txt").write_text(" \n\n")
    return path / "a.txt"


def _tiny(path: Path) -> Path:
    (path / "a.txt").write_text("a few words")
    return path / "a.txt"


@pytest.mark.parametrize(
    "make",
    [_missing, _empty_folder, _no_text, _binary, _only_binary, _torn_gzip, _no_zip, _not_json, _blank, _tiny],
)
def test_bad_input_is_a_data_error_with_a_remedy_and_leaves_no_cache(make, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "in").mkdir()
    path = make(tmp_path / "in")
    with pytest.raises(DataError) as caught:
        prepare(DataConfig(source=str(path)), cache_dir=tmp_path / "cache")
    assert len(caught.value.remedy) > 10
    assert [
        entry.name for entry in (tmp_path / "cache").iterdir() if entry.name not in ("locks", "memo")
    ] == []


def test_one_bad_file_among_many_is_left_out_and_said(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text(prose(20_000))
    (tmp_path / "in" / "b.txt").write_bytes(b"\0\1\2" * 100)
    with prepare(DataConfig(source=str(tmp_path / "in")), cache_dir=tmp_path / "cache") as corpus:
        assert corpus.documents == 1
        assert len(corpus.notes) == 1
        assert "b.txt is not a text file" in corpus.notes[0]


def test_equal_documents_count_once_and_unequal_ones_do_not(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / "in" / f"{name}.txt").write_text(prose(20_000, seed))
    with prepare(DataConfig(source=str(tmp_path / "in")), cache_dir=tmp_path / "cache") as corpus:
        assert (corpus.documents, corpus.meta.duplicates) == (2, 1)


def test_text_beyond_max_mb_is_left_out_and_said(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(prose(60_000))
    config = DataConfig(source=str(tmp_path / "a.txt"), max_mb=0.02)
    with prepare(config, cache_dir=tmp_path / "cache") as corpus:
        assert 19_000 < len(corpus.train) + len(corpus.val) < 20_200
        assert "data.max_mb" in corpus.notes[0]
