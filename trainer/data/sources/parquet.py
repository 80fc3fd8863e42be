"""Texts of a Parquet file, a row each: read by Apache Arrow, which the extra `parquet` brings."""

import io
from collections.abc import Iterator

from trainer.data.data_errors import BadFileError
from trainer.data.display_names import shown
from trainer.data.sources.decompress import Allowance

ROWS = 256
"""Rows that are unpacked at a time."""


def rows_of(raw: bytes, name: str, column: str, allowance: Allowance) -> Iterator[tuple[int, str]]:
    """Yield number, from 1, and text of each row; a row without a text is passed over.

    Raises:
        BadFileError: it is no Parquet file, has no such column of texts, or Apache Arrow is not installed.
        TooMuchError: it unpacks to more than the bounds allow.
    """
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError as error:
        raise BadFileError(
            f"{shown(name)} is a Parquet file, and pyarrow is not installed here",
            "pip install 'photinus[parquet]', or give the texts as .jsonl",
        ) from error
    try:
        file = parquet.ParquetFile(io.BytesIO(raw))
        schema = file.schema_arrow
        if column not in schema.names:
            columns = ", ".join(schema.names[:20])
            raise BadFileError(
                f"{shown(name)} has no column {column!r} (it has: {shown(columns)})",
                "name the column of the text with data.text_field (`corpus`: --field)",
            )
        kind = schema.field(column).type
        if not (arrow.types.is_string(kind) or arrow.types.is_large_string(kind)):
            raise BadFileError(
                f"{shown(name)}: the column {column!r} holds {shown(str(kind))}, not texts",
                "name the column of the text with data.text_field (`corpus`: --field)",
            )
        number = 0
        for batch in file.iter_batches(batch_size=ROWS, columns=[column], use_threads=False):
            allowance.take(batch.nbytes, name)
            for text in batch.column(0).to_pylist():
                number += 1
                if text:
                    yield number, text
    except (arrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise BadFileError(
            f"{shown(name)} is a broken Parquet file ({shown(str(error)[:200])})", "fetch it again"
        ) from error
    if not number:
        raise BadFileError(f"{shown(name)} holds no rows", "give one with a text in each row")
