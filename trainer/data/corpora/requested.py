"""The words of a command line to what is to be gathered: paths, numbers of books, lists of titles."""

import re
from dataclasses import dataclass
from pathlib import Path

from trainer.config.config_error import ConfigError
from trainer.data.corpora.kssm_log import LOG
from trainer.data.display_names import shown

NUMBERS = re.compile(r"[0-9]{1,6}(?:,[0-9]{1,6})*")
GUTENBERG, PRESET = "gutenberg:", "preset:"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A book to be had from Project Gutenberg.

    Attributes:
        number: Its number; 0 where none is certain.
        title, author: What a list calls it; "" for a bare number.
    """

    number: int
    title: str = ""
    author: str = ""

    @property
    def asked(self) -> str:
        """What it was asked for as; "" for a bare number."""
        return f"{self.title} ({self.author})" if self.title else ""


@dataclass(frozen=True, slots=True)
class RequestedSource:
    """One word of the command line: either a path or books."""

    word: str
    path: Path | None = None
    books: tuple[Wanted, ...] = ()


def parse_sources(words: list[str]) -> list[RequestedSource]:
    """What each word means, before anything is read.

    Raises:
        ConfigError: a word that means nothing; the message names it and what would.
    """
    return [_parse(word) for word in words]


def _parse(word: str) -> RequestedSource:
    if word.startswith(GUTENBERG):
        return _books(word, word.removeprefix(GUTENBERG))
    if word.startswith(PRESET):
        preset = PRESETS.get(word.removeprefix(PRESET))
        if preset is None:
            raise ConfigError(
                f"there is no {shown(word)}; there are {', '.join(map(PRESET.__add__, PRESETS))}"
            )
        return RequestedSource(word, books=preset)
    try:
        path = Path(word).expanduser()
        is_there = path.exists() or path.is_symlink()
    except (OSError, RuntimeError, ValueError):  # no right to look, `~` of nobody, a null byte
        is_there = False
    if not is_there:
        raise ConfigError(
            f"there is no file or folder {shown(word)}; name a text, a folder, gutenberg:NUMBER or "
            f"{PRESET}{next(iter(PRESETS))}"
        )
    return RequestedSource(word, path=path.absolute())


def _books(word: str, text: str) -> RequestedSource:
    if NUMBERS.fullmatch(text):
        return RequestedSource(
            word, books=tuple(Wanted(int(number)) for number in text.split(",") if int(number))
        )
    folder = Path(text).expanduser()
    if text and folder.exists():
        return RequestedSource(word, path=folder.absolute())
    raise ConfigError(
        f"{shown(word)} names no book; write gutenberg:11 or gutenberg:11,1342 (the number in a book's "
        "address), or the path of a folder of books"
    )


def _as_named() -> tuple[Wanted, ...]:
    return tuple(Wanted(line.number, line.title, line.author) for line in LOG)


def _as_run() -> tuple[Wanted, ...]:
    first: dict[int, Wanted] = {}
    for line in LOG:
        first.setdefault(line.asked, Wanted(line.asked, line.title, line.author))
    return tuple(first.values())


PRESETS = {"kssm-log": _as_named(), "kssm-log-as-run": _as_run()}
