"""Decoding, cleaning, and Project Gutenberg's wrapping."""

import pytest

from trainer.data.data_errors import BadFileError
from trainer.data.sources.text import clean, decode, strip_gutenberg

BODY = "CHAPTER I\n\nIt was a dark night.\n\nThe end of the road lay far."
NEW = (
    "The Project Gutenberg eBook of X\n\n*** START OF THE PROJECT GUTENBERG EBOOK X ***\n\n"
    f"{BODY}\n\n*** END OF THE PROJECT GUTENBERG EBOOK X ***\n\nlicence"
)
NEW_TWO_LINES = NEW.replace("EBOOK X ***\n\nCH", "EBOOK A TITLE OF\nTWO LINES ***\n\nCH")
MIDDLE = (
    f"head\n*** START OF THIS PROJECT GUTENBERG EBOOK X ***\n{BODY}\n\n"
    "End of the Project Gutenberg EBook of X\n\n*** END OF THIS PROJECT GUTENBERG EBOOK X ***\nlicence"
)
OLD = (
    "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*\n"
    f"{BODY}\n\nEnd of The Project Gutenberg Etext of X\nlicence"
)


@pytest.mark.parametrize("book", [NEW, NEW_TWO_LINES, MIDDLE, OLD], ids=["new", "two-lines", "middle", "old"])
def test_both_marker_generations_leave_the_book_alone(book: str) -> None:
    assert strip_gutenberg(book) == BODY


def test_text_without_markers_is_not_cut() -> None:
    text = "A letter.\n\nEnd of the line, he said.\n\n*** START OF THE SHOW ***\n\nMore."
    assert strip_gutenberg(text) == text


def test_utf8_then_cp1252_then_byte_order_marks() -> None:
    assert decode("naïve “x”".encode(), "a") == "naïve “x”"
    assert decode("naïve “x”".encode("cp1252"), "a") == "naïve “x”"
    assert decode("naïve".encode("utf-16"), "a") == "naïve"
    assert decode("naïve".encode("utf-8-sig"), "a") == "naïve"


@pytest.mark.parametrize("raw", [b"\x7fELF\0\0\0", bytes(range(1, 32)) * 40, b"caf\x81 \x8d"])
def test_bytes_that_are_no_text_are_refused_with_a_remedy(raw: bytes) -> None:
    with pytest.raises(BadFileError) as caught:
        decode(raw, "x.txt")
    assert "x.txt" in str(caught.value)
    assert caught.value.remedy


def test_cleaning_composes_characters_and_keeps_paragraphs() -> None:
    assert (
        clean("cafe\u0301\r\n\r\nnext  \rline\x07\n\n\n\n\n\nsection\n") == "café\n\nnext\nline\n\n\nsection"
    )
