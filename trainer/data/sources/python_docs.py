"""`python-docs`: the documentation inside the running interpreter, real English prose on every machine.

The language reference's topics, and the docstrings of the standard library read out of its source files. No
library module is imported, so nothing runs and nothing opens a window. A full parse takes 2.4 s for 11 MB of
source; stepping over strings and comments alone finds about 95 % of their text in 0.2 s.
"""

import ast
import hashlib
import inspect
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from trainer.data.data_errors import DataError
from trainer.data.progress import Pulse
from trainer.data.sources.source import Document
from trainer.data.sources.text import clean
from trainer.data.stamps import Stamp, stamp_of

# Tests are no prose, codecs repeat one sentence a hundred times, the rest is not the library.
SKIPPED = frozenset(
    {"site-packages", "dist-packages", "test", "tests", "idle_test", "__pycache__", "lib2to3", "encodings"}
)
TOPICS = "pydoc_data"
FEWEST_BYTES = 100_000
FORMAT = f"python-docs 1 {sys.version}"

_LEXEME = re.compile(
    r"(?s)\"\"\".*?(?<!\\)(?:\\\\)*\"\"\"|'''.*?(?<!\\)(?:\\\\)*'''"
    r"|\"(?:[^\"\\\n]++|\\.)*+\"|'(?:[^'\\\n]++|\\.)*+'|#[^\n]*"
)


class PythonDocs:
    """The interpreter's own documentation as a source."""

    name = "python-docs"
    whole = False

    def __init__(self, library: Path | None = None) -> None:
        self.library = library or Path(os.__file__).parent
        self.notes: list[str] = []
        self._files: list[Path] = []

    def stamp(self) -> Stamp:
        """See `Source`."""
        self._files = library_files(self.library)
        return stamp_of(self._files, self.library, FORMAT)

    def content_hash(self, pulse: Pulse) -> str:
        """See `Source`."""
        files = self._files or library_files(self.library)
        digest = hashlib.sha256(FORMAT.encode())
        for done, path in enumerate(files):
            pulse.beat("hash", done, len(files))
            digest.update(str(path.relative_to(self.library)).encode("utf-8", "surrogateescape") + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()

    def documents(self, pulse: Pulse) -> Iterator[Document]:
        """See `Source`: one document a topic, then one a module; a docstring seen before is left out.

        Raises:
            DataError: if this Python ships too little documentation.
        """
        seen: set[str] = set()
        found = 0
        files = self._files or library_files(self.library)
        for done, path in enumerate(files):
            pulse.beat("read", done, len(files))
            source = path.read_text(encoding="utf-8", errors="replace")
            parts = topics(source) if path.parent.name == TOPICS else docstrings(source)
            fresh = dict.fromkeys(part for text in parts if (part := clean(text)) and part not in seen)
            seen.update(fresh)
            for text in fresh if path.parent.name == TOPICS else ["\n\n".join(fresh)]:
                found += len(text)
                if text:
                    yield Document(text)
        if found < FEWEST_BYTES:
            raise DataError(
                f"this Python's library at {self.library} holds only {found} bytes of documentation",
                "give a text file or a folder with --data, or use a full Python installation",
            )


def library_files(library: Path) -> list[Path]:
    """Source files of the standard library in a fixed order, topics first."""
    found: list[Path] = []
    for folder, folders, names in os.walk(library):
        folders[:] = sorted(
            name for name in folders if name not in SKIPPED and not name.startswith("config-")
        )
        here = Path(folder)
        if here.name == TOPICS:
            names = [name for name in names if name == "topics.py"]
        found.extend(here / name for name in names if name.endswith(".py"))
    return sorted(found, key=lambda path: (path.parent.name != TOPICS, path.relative_to(library).parts))


def topics(source: str) -> list[str]:
    """Texts of `pydoc_data/topics.py`, a module of one dictionary literal, in the order of their names."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            literal = ast.literal_eval(node.value)
            return [str(literal[name]) for name in sorted(literal)]
    return []


def docstrings(source: str) -> Iterator[str]:
    """Triple-quoted docstrings of a module's source, in order, indentation removed.

    A docstring is a string that starts its line after code that ends in a colon, or that opens the file;
    comments between do not count.
    """
    code_ends: dict[int, int] = {}  # of each comment: its end -> the end of the code before it
    for match in _LEXEME.finditer(source):
        lexeme = match[0]
        if lexeme[0] == "#":
            code_ends[match.end()] = _code_end(source, match.start(), code_ends)
        if lexeme[:3] not in ('"""', "'''"):
            continue
        line = source.rfind("\n", 0, match.start()) + 1
        prefix = source[line : match.start()].strip(" \t").lower()
        if prefix not in ("", "r", "u"):
            continue
        end = _code_end(source, line, code_ends)
        if end == 0 or source[end - 1] == ":":
            yield inspect.cleandoc(_unescape(lexeme[3:-3], raw=prefix == "r"))


def _code_end(source: str, at: int, code_ends: dict[int, int]) -> int:
    """Where the code before `at` ends, blanks and comments left out."""
    while at and source[at - 1].isspace():
        at -= 1
    return code_ends.get(at, at)


def _unescape(body: str, raw: bool) -> str:
    if raw or "\\" not in body:
        return body
    try:
        return str(ast.literal_eval(f'"""{body}"""'))
    except (SyntaxError, ValueError):  # a quote at the very end: the text as it stands is as good
        return body
