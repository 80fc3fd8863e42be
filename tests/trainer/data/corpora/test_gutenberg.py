"""What the header of a book tells, and the list of the K-SSM log."""

from collections import Counter

import pytest

from tests.trainer.data.corpora.library import book
from trainer.config.config_error import ConfigError
from trainer.data.corpora.found import Found
from trainer.data.corpora.gutenberg import Label, is_another, label_of
from trainer.data.corpora.intake import found_in
from trainer.data.corpora.kssm_log import LOG
from trainer.data.corpora.requested import PRESETS, parse_sources


@pytest.mark.parametrize("old", [False, True])
def test_both_generations_of_books_are_stripped_and_named(old: bool) -> None:
    raw = book("Emma", "Jane Austen", 158, body="It was a fine day.\n\nIt rained.", old=old).decode("cp1252")
    found = found_in(raw, "emma.txt")
    assert isinstance(found, Found)
    assert found.text == "It was a fine day.\n\nIt rained."
    assert (found.title, found.author) == ("Emma", "Jane Austen")
    assert found.book == (0 if old else 158)


def test_other_text_has_no_label() -> None:
    assert label_of("Title: Minutes\n\nAuthor: the secretary\n\nNobody came.") == Label()


def test_a_title_of_two_lines_is_one() -> None:
    raw = "The Project Gutenberg eBook\n\nTitle: The Modern\n        Prometheus\nAuthor: Mary Shelley\n"
    assert label_of(raw).title == "The Modern Prometheus"


@pytest.mark.parametrize(
    ("asked", "title", "another"),
    [
        ("A Room of One's Own", "A Treatise of Human Nature", True),
        ("Beyond Good and Evil", "Ulysses", True),
        ("Frankenstein", "Frankenstein; Or, The Modern Prometheus", False),
        ("The Complete Works", "The Complete Works of William Shakespeare", False),
        ("Emma", "", False),
        ("", "Emma", False),
    ],
)
def test_another_book_than_was_asked_for_is_noticed(asked: str, title: str, another: bool) -> None:
    assert is_another(asked, title) is another


def test_the_list_is_that_of_the_log() -> None:
    assert len(LOG) == 101  # planned; 96 of the 97 different numbers were had
    assert len({line.asked for line in LOG}) == len(PRESETS["kssm-log-as-run"]) == 97
    numbers = Counter(line.number for line in LOG if line.number)
    assert max(numbers.values()) == 1
    assert len(PRESETS["kssm-log"]) == 101


@pytest.mark.parametrize(
    "word", ["gutenberg:x", "gutenberg:", "gutenberg:1,", "preset:x", "no/such", "\0", "~nobody-x"]
)
def test_a_word_that_means_nothing_is_refused(word: str) -> None:
    with pytest.raises(ConfigError):
        parse_sources([word])


def test_numbers_and_paths_are_told_apart(tmp_path: object) -> None:
    several, folder = parse_sources(["gutenberg:11,1342", f"gutenberg:{tmp_path}"])
    assert [wanted.number for wanted in several.books] == [11, 1342]
    assert str(folder.path) == str(tmp_path)
