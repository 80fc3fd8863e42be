"""Packed files: what is refused before it fills the memory, and what is not."""

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from tests.trainer.data.prose import prose
from trainer.data.data_errors import BadFileError
from trainer.data.display_names import LONGEST, shown
from trainer.data.sources.decompress import Bounds
from trainer.data.sources.file_formats import texts_of

BOUNDS = Bounds(bytes=3_000_000, ratio=50, slack=100_000, depth=3)


def zipped(**members: bytes) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return raw.getvalue()


def read(path: Path, content: bytes) -> list[str]:
    path.write_bytes(content)
    return [found.text for found in texts_of(path, "text", bounds=BOUNDS)]


def test_a_bomb_is_refused_and_text_that_packs_well_is_not(tmp_path: Path) -> None:
    text = prose(150_000)
    assert read(tmp_path / "a.txt.gz", gzip.compress(text.encode())) == [text]
    for name, content in {
        "a.gz": gzip.compress(b"a" * 2_000_000),
        "a.zip": zipped(**{"a.txt": b"a" * 2_000_000}),
        "many.zip": zipped(**{f"{n}.txt": b"a" * 90_000 for n in range(20)}),
        "within.zip": zipped(**{"a.txt.gz": gzip.compress(b"a" * 2_000_000)}),
    }.items():
        with pytest.raises(BadFileError, match="unpack to more than"):
            read(tmp_path / name, content)


def test_the_limit_holds_however_badly_it_packs(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(prose(200_000).encode()))
    with pytest.raises(BadFileError, match="unpack to more than"):
        list(texts_of(path, "text", bounds=Bounds(bytes=100_000)))
    assert len(list(texts_of(path, "text", bounds=Bounds(bytes=400_000)))) == 1


def test_packings_within_each_other_end(tmp_path: Path) -> None:
    content = b"words"
    name = "a.txt"
    for depth in range(1, 6):
        content, name = gzip.compress(content), f"{name}.gz"
        if depth <= 3:
            assert read(tmp_path / name, content) == ["words"]
        else:
            with pytest.raises(BadFileError, match="packed more than 3 times"):
                read(tmp_path / name, content)


def test_a_zip_is_read_by_content_and_its_names_lead_nowhere(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.txt")
    link.external_attr = 0o120777 << 16
    raw = io.BytesIO(
        zipped(**{"../../up.txt": b"up", "/abs.txt": b"abs", "__MACOSX/._a.txt": b"\0", ".h.txt": b"h"})
    )
    with zipfile.ZipFile(raw, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    (tmp_path / "in").mkdir()
    assert sorted(read(tmp_path / "in" / "a.zip", raw.getvalue())) == ["abs", "up"]
    assert [path.name for path in tmp_path.rglob("*")] == ["in", "a.zip"]


def test_a_bad_member_or_line_spoils_its_siblings_only_for_who_does_not_listen(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(
        zipped(**{"a.txt": b"one", "b.txt": b"\0" * 9, "c.jsonl": b'{"text":"two"}\n{torn\n{"text":"three"}'})
    )
    with pytest.raises(BadFileError, match="not a text file"):
        list(texts_of(tmp_path / "a.zip", "text"))
    bad: list[BadFileError] = []
    found = list(texts_of(tmp_path / "a.zip", "text", bad.append))
    assert [one.text for one in found] == ["one", "two", "three"]
    assert [one.where.rpartition("/")[2] for one in found] == ["a.txt", "c.jsonl:1", "c.jsonl:3"]
    assert ["b.txt is not" in str(bad[0]), "line 2 is not JSON" in str(bad[1])] == [True, True]


def test_no_name_steers_a_terminal() -> None:
    hostile = "a\x1b[2J\r\n\u202e\x9b\udcff.txt"
    assert shown(hostile).isprintable()
    assert not hostile.isprintable()
    assert shown("Ünïcode, “quoted”.txt") == "Ünïcode, “quoted”.txt"
    assert len(shown("x" * 5000)) <= LONGEST + 1
