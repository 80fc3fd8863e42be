"""Bytes of a file to clean text: decoded, composed, paragraphs kept, Project Gutenberg's wrapping removed."""

import re
import unicodedata

from trainer.data.data_errors import BadFileError

SNIFF_BYTES = 1 << 16
MAX_CONTROL_SHARE = 0.02

_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff]")
_CONTROL_BYTES = bytes(b for b in range(32) if b not in b"\t\n\r\f\x1b\x1a")
_FOOTER_CHARS = 40_000
_BLANK_LINES = re.compile(r"\n{4,}")

# Markers of books before about 2006 ("SMALL PRINT", which some repeat at their end) and since ("START OF").
_START = re.compile(
    r"^\*{3} ?START OF (?:THE|THIS) PROJECT GUTENBERG[^\n]*(?:\n[^\n]+?\*{3}[ \t]*$)?", re.M | re.I
)
_OLD_START = re.compile(r"^\*END[ *]*THE SMALL PRINT[^\n]*$", re.M | re.I)
_END = re.compile(r"^(?:\*{3} ?)?END OF (?:THE|THIS) PROJECT GUTENBERG[^\n]*$", re.M | re.I)
_OLD_END = re.compile(r"^End of (?:the |this )?Project Gutenberg(?:'s|’s)?[^\n]*$", re.M | re.I)


def decode(raw: bytes, name: str) -> str:
    """Text of `raw`: by its byte-order mark, else UTF-8, else cp1252.

    Raises:
        BadFileError: if it is not text, or in neither encoding.
    """
    for bom, encoding in _BOMS:
        if raw.startswith(bom):
            try:
                return raw.decode(encoding)
            except UnicodeDecodeError as error:
                raise BadFileError(f"{name} has a broken {encoding} text", "save it as UTF-8") from error
    if looks_binary(raw):
        raise BadFileError(f"{name} is not a text file", "give .txt, .md, .jsonl, .gz, .zip or a folder")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        return raw.decode("cp1252")
    except UnicodeDecodeError as error:
        raise BadFileError(
            f"{name} is neither UTF-8 nor cp1252 (byte {error.start})",
            "convert it to UTF-8",
        ) from error


def looks_binary(raw: bytes) -> bool:
    """Whether the first 64 KiB hold a NUL, or more control bytes than text ever does."""
    head = raw[:SNIFF_BYTES]
    if b"\0" in head:
        return True
    return len(head) - len(head.translate(None, _CONTROL_BYTES)) > MAX_CONTROL_SHARE * len(head)


def clean(text: str) -> str:
    """One newline form, NFC, no control characters, no trailing blanks; paragraphs stay as they are.

    Runs of blank lines shrink to two at most, so "a new paragraph" and "a new section" stay apart.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n\n")
    text = unicodedata.normalize("NFC", _CONTROLS.sub("", text))
    text = "\n".join([line.rstrip(" \t") for line in text.split("\n")])
    if "\n\n\n\n" in text:
        text = _BLANK_LINES.sub("\n\n\n", text)
    return text.strip("\n")


def strip_gutenberg(text: str) -> str:
    """`text` without Project Gutenberg's header and footer where their markers stand; other text as it is."""
    if "GUTENBERG" not in text and "Gutenberg" not in text:  # a thousandth of the time of the patterns below
        return text
    start = _START.search(text) or _OLD_START.search(text, 0, len(text) // 2)
    if start is None and "Project Gutenberg" not in text[-_FOOTER_CHARS:]:
        return text
    begin = text.find("\n", start.end()) if start else 0  # what was looked at may end within the line
    if begin < 0:
        return ""
    ends = [match.start() for pattern in (_END, _OLD_END) if (match := pattern.search(text, begin))]
    return text[begin : min(ends, default=len(text))].strip()
