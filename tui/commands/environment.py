"""`--env K=V` and `--env-file`: what is added to a run's environment."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from remote.protocol.errors import CallError

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
FILE_MAX = 1 << 20
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "$": "$", "`": "`"}


def read_environment(pairs: Sequence[str], file: str | None) -> dict[str, str]:
    """The file's lines first, then the pairs of the command line.

    In a file, `export ` before a name and one pair of quotes around a value are taken off, as a shell does;
    nothing is expanded. A value on the command line is taken as it comes: the shell has done it already.

    Raises:
        CallError: what is no NAME=VALUE; the value is not repeated in the message, it may be a secret.
        FileNotFoundError: no such file.
    """
    found = dict(_pairs_of(Path(file))) if file else {}
    for number, pair in enumerate(pairs, 1):
        name, equals, value = pair.partition("=")
        if not equals or not NAME.fullmatch(name):
            raise CallError(
                "bad_request",
                f"--env number {number} is not of the form NAME=VALUE",
                "write --env NAME=VALUE",
            )
        found[name] = value
    return found


def _pairs_of(path: Path) -> Iterator[tuple[str, str]]:
    with path.open() as file:
        lines = file.read(FILE_MAX + 1)
    if len(lines) > FILE_MAX:
        raise CallError(
            "bad_request", f"--env-file {path} is longer than {FILE_MAX:,} characters", "name another file"
        )
    for number, line in enumerate(lines.splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.removeprefix("export ").partition("=")
        name = name.strip() if equals else ""
        if not NAME.fullmatch(name):
            raise CallError(
                "bad_request",
                f"--env-file {path}, line {number} is not of the form NAME=VALUE",
                "write a line NAME=VALUE for each variable; # begins a comment line",
            )
        yield name, unquoted(value.strip(), f"--env-file {path}, line {number}")


def unquoted(value: str, where: str) -> str:
    """The value without its quotes; in double ones a backslash escapes, in single ones nothing does.

    Raises:
        CallError: a quote that is not closed, or text after a closing one.
    """
    if not value or value[0] not in "\"'":
        return value
    quote = value[0]
    pattern = r'"((?:[^"\\]|\\.)*)"' if quote == '"' else r"'([^']*)'"
    match = re.match(pattern, value)
    rest = value[match.end() :].strip() if match else "?"
    if match is None or (rest and not rest.startswith("#")):
        raise CallError(
            "bad_request",
            f"{where}: the quotes around the value do not match",
            "put the whole value into one pair of quotes, or leave them out",
        )
    if quote == "'":
        return match[1]
    return re.sub(r"\\(.)", lambda escape: ESCAPES.get(escape[1], escape[0]), match[1])
