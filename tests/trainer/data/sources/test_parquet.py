"""Texts of a Parquet file, a row each; what is none is refused with what helps."""

import random
import sys
from pathlib import Path
from typing import Any

import pytest

from trainer.data import DataError
from trainer.data.progress import Pulse
from trainer.data.sources.decompress import Bounds
from trainer.data.sources.file_formats import texts_of
from trainer.data.sources.text_files import TextFiles


@pytest.fixture
def arrow() -> Any:
    return pytest.importorskip("pyarrow", reason="an extra: pip install 'photinus[parquet]'")


def write(path: Path, columns: dict[str, Any], arrow: Any, **how: Any) -> Path:
    arrow.parquet.write_table(arrow.table(columns), path, **how)
    return path


def texts(path: Path, field: str = "text") -> list[str]:
    source = TextFiles(path, field)
    source.stamp()
    return [document.text for document in source.documents(Pulse())]


@pytest.fixture
def parquet(arrow: Any) -> Any:
    import pyarrow.parquet  # noqa: F401  so that `arrow.parquet` is there

    return arrow


def test_rows_are_texts_in_order_and_empty_ones_are_none(tmp_path: Path, parquet: Any) -> None:
    rows = [f"text {number}" for number in range(700)]
    columns = {"text": [*rows, None, ""], "n": [0] * 702, "body": ["b"] * 702}
    path = write(tmp_path / "a.parquet", columns, parquet, row_group_size=100)
    assert texts(path) == rows
    assert texts(path, "body") == ["b"] * 702
    (tmp_path / "b.txt").write_text("plain")
    assert texts(tmp_path) == [*rows, "plain"]


def test_another_column_is_refused_with_those_that_there_are(tmp_path: Path, parquet: Any) -> None:
    path = write(tmp_path / "a.parquet", {"body": ["x"], "n": [1]}, parquet)
    with pytest.raises(DataError, match=r"no column 'text' \(it has: body, n\)"):
        texts(path)
    with pytest.raises(DataError, match="holds int64, not texts"):
        texts(path, "n")


def test_a_broken_file_and_one_that_unpacks_without_end_are_refused(tmp_path: Path, parquet: Any) -> None:
    draw = random.Random(1)
    rows = ["".join(draw.choices("abcdefghijklmnop ", k=100_000)) for _ in range(20)]
    path = write(tmp_path / "a.parquet", {"text": rows}, parquet, compression="zstd")
    with pytest.raises(DataError, match="unpack to more than"):
        list(texts_of(path, "text", bounds=Bounds(bytes=1 << 20)))
    assert len(list(texts_of(path, "text"))) == 20, "the control"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(DataError, match="is a broken Parquet file"):
        texts(path)


def test_without_arrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError) as caught:
        texts(tmp_path / "a.parquet")
    assert "photinus[parquet]" in f"{caught.value}"
