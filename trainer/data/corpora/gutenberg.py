"""What a Project Gutenberg file says about itself, before its wrapping is removed."""

import re
from dataclasses import dataclass

HEAD = 20_000
LONGEST = 300

_TITLE = re.compile(r"^Title:[ \t]*([^\n]+(?:\n[ \t]+[^\n]+)*)", re.M)
_AUTHOR = re.compile(r"^(?:Author|Authors|Editor|Translator):[ \t]*([^\n]+)", re.M)
_NUMBER = re.compile(r"\[(?:E?-?Text|E-?Book)[ \t]*#[ \t]*(\d{1,6})\]", re.I)
_OLD_TITLE = re.compile(
    r"^\**The Project Gutenberg E?(?:text|book) of (.+?)(?:, by (.+?))?\**[ \t]*$", re.M | re.I
)
_WORD = re.compile(r"\w+")
_SMALL = frozenset(_WORD.findall("a an and at by for from in of on or the to with complete volume vol works"))


@dataclass(frozen=True, slots=True)
class Label:
    """Title, author and number; empty or 0 where the file does not tell."""

    title: str = ""
    author: str = ""
    number: int = 0


def label_of(text: str) -> Label:
    """Read the header of a raw text, newlines as `\\n`; both generations of headers."""
    head = text[:HEAD]
    if "utenberg" not in head and "UTENBERG" not in head:
        return Label()
    number = _NUMBER.search(head)
    title, author = _TITLE.search(head), _AUTHOR.search(head)
    old = _OLD_TITLE.search(head) if title is None else None
    return Label(
        _one_line(title[1] if title else old[1] if old else ""),
        _one_line(author[1] if author else (old[2] or "") if old else ""),
        int(number[1]) if number else 0,
    )


def is_another(asked: str, title: str) -> bool:
    """Whether a book's own title is plainly not the one asked for: they share no word but small ones."""
    wanted, has = _words(asked), _words(title)
    return bool(wanted and has) and not wanted & has


def _words(title: str) -> frozenset[str]:
    return frozenset(_WORD.findall(title.casefold())) - _SMALL


def _one_line(text: str) -> str:
    return " ".join(text.split())[:LONGEST]
