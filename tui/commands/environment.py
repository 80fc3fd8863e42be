"""`--env K=V` and `--env-file`: what is added to a run's environment."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from remote.errors import CallError


def read_environment(pairs: Sequence[str], file: str | None) -> dict[str, str]:
    """The file's lines first, then the pairs of the command line.

    Raises:
        CallError: a line that is not K=V; the value is not repeated in the message, it may be a secret.
        FileNotFoundError: no such file.
    """
    lines = list(_lines(Path(file))) if file else []
    found = {}
    for where, text in [*lines, *((f"--env number {n}", pair) for n, pair in enumerate(pairs, 1))]:
        name, equals, value = text.partition("=")
        if not equals or not name or not name.isidentifier():
            raise CallError("bad_request", f"{where} is not of the form NAME=VALUE", "write --env NAME=VALUE")
        found[name] = value
    return found


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(path.read_text().splitlines(), 1):
        text = line.strip()
        if text and not text.startswith("#"):
            yield f"{path.name} line {number}", text
