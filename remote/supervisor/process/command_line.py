"""The command line of a process, as a person would know it again."""

from pathlib import Path

COMMAND_MAX = 120
SHORT_MAX = 60


def words_of(pid: int) -> list[str]:
    """A process's argument vector; empty where it cannot be read, as on macOS."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return []
    return [word.decode("utf-8", "replace") for word in raw.removesuffix(b"\0").split(b"\0")]


def printable(text: str) -> str:
    """A text that shows as what it is: without control characters, a tab being a space."""
    return "".join(one for one in text.replace("\t", " ") if one.isprintable())


def command_of(pid: int) -> str:
    """A process's command line as one text, cut; empty where it cannot be read."""
    return " ".join(words_of(pid)).strip()[:COMMAND_MAX]


def shortened(command: str) -> str:
    """What a sentence has room for: the program without its folder, and the first of its words."""
    program, _, rest = printable(command.replace("\n", " ")).partition(" ")
    text = " ".join([program.rpartition("/")[2], *rest.split()])
    return text if len(text) <= SHORT_MAX else text[: SHORT_MAX - 1] + "…"


def named(pid: int) -> str:
    """`pid N (its command)`, short and on one line."""
    command = shortened(command_of(pid))
    return f"pid {pid} ({command})" if command else f"pid {pid}"
