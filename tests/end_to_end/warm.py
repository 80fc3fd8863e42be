"""The command line without its start: a server that has it imported forks a process for each command."""

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerContext
from pathlib import Path

CONTEXT: ForkServerContext = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tui.cli"])


def run_warm(
    words: Sequence[str], env: Mapping[str, str], cwd: Path, outputs: tuple[Path, Path], timeout: float
) -> int:
    """Run `photinus WORDS` as a process of its own and return its exit code.

    Args:
        outputs: files for what it says on stdout and on stderr.
        timeout: seconds.

    Raises:
        TimeoutError: it took longer, and was killed.
    """
    process = CONTEXT.Process(target=_command, args=(tuple(words), dict(env), str(cwd), outputs))
    process.start()
    process.join(timeout)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise TimeoutError(f"photinus {' '.join(words)} took longer than {timeout:g} s")
    return process.exitcode


def _command(words: tuple[str, ...], env: dict[str, str], cwd: str, outputs: tuple[Path, Path]) -> None:
    """Become what `python -m tui` is: its environment, folder, standard streams and arguments."""
    from tui.cli import main

    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    for fd, path in zip((1, 2), outputs, strict=True):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, fd)
        os.close(file)
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), 0)
    sys.argv = ["photinus", *words]
    sys.exit(main(words))
