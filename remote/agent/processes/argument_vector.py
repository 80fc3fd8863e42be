"""The command line of any process of this host, also where there is no /proc."""

from remote.supervisor.process.command_line import COMMAND_MAX
from remote.supervisor.process.command_line import words_of as words_in_proc


def words_of(pid: int) -> list[str]:
    """A process's argument vector; empty where it cannot be read."""
    if words := words_in_proc(pid):
        return words
    import psutil

    try:
        return psutil.Process(pid).cmdline()
    except psutil.Error:
        return []


def command_of(pid: int) -> str:
    """It as one text, cut."""
    return " ".join(words_of(pid)).strip()[:COMMAND_MAX]
