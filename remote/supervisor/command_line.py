"""The command line of a process, as a person would know it again."""

from pathlib import Path

from remote.protocol.sanitise import clean_line

COMMAND_MAX = 120
SHORT_MAX = 60


def words_of(pid: int) -> list[str]:
    """A process's argument vector; empty where it cannot be read."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
        return [word.decode("utf-8", "replace") for word in raw.removesuffix(b"\0").split(b"\0")]
    except OSError:
        pass
    import psutil

    try:
        return psutil.Process(pid).cmdline()
    except psutil.Error:
        return []


def command_of(pid: int) -> str:
    """A process's command line as one text, cut; empty where it cannot be read."""
    return " ".join(words_of(pid)).strip()[:COMMAND_MAX]


def shortened(command: str) -> str:
    """What a sentence has room for: the program without its folder, and the first of its words."""
    program, _, rest = clean_line(command).partition(" ")
    text = " ".join([program.rpartition("/")[2], *rest.split()])
    return text if len(text) <= SHORT_MAX else text[: SHORT_MAX - 1] + "…"


def named(pid: int) -> str:
    """`pid N (its command)`, short and on one line."""
    command = shortened(command_of(pid))
    return f"pid {pid} ({command})" if command else f"pid {pid}"
