"""Whether a command's program is there, told before anything is started: not by an empty log afterwards."""

import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from remote.protocol.errors import CallError
from trainer.run.spec import RunSpec

SHOWN = 300


def demand_program(
    spec: RunSpec,
    folder: Path | None = None,
    *,
    resumes: bool = False,
    env: Mapping[str, str] = os.environ,
) -> None:
    """Look where the supervisor's exec will look: in `folder`, by default the spec's, along the run's PATH.

    Raises:
        CallError: `refused`: no such program on this host, or it may not be executed.
    """
    if spec.kind != "command":
        return
    words = spec.resume_argv if resumes else spec.argv
    program = words[0] if words else ""
    folder = folder or (Path(spec.cwd) if spec.cwd else Path.home())
    if "/" not in program:
        path = spec.env.get("PATH", env.get("PATH", os.defpath))
        if not any(_is_program(folder / place / program) for place in path.split(os.pathsep)):
            raise CallError(
                "refused",
                f"there is no program {program[:SHOWN]!r} in the PATH of this host ({path})",
                _unquoted(words) or "name it by its whole path, or give it a PATH with --env PATH=...",
                {"program": program[:SHOWN]},
            )
        return
    found = folder / program
    if not found.exists():
        raise CallError(
            "refused",
            f"there is no program {str(found)[:SHOWN]} on this host",
            _unquoted(words) or "check the path; a relative one is looked up in --cwd",
            {"program": program[:SHOWN]},
        )
    if not _is_program(found):
        what = "is a folder" if found.is_dir() else "may not be executed"
        raise CallError(
            "refused", f"{found} {what}", "chmod +x it, or start it with its interpreter: python3 SCRIPT"
        )


def _unquoted(words: Sequence[str]) -> str:
    """The remedy where a whole command line was quoted into one word."""
    if len(words) != 1:
        return ""
    try:
        parts = shlex.split(words[0])
    except ValueError:
        return ""
    if len(parts) < 2:
        return ""
    return f"no shell reads this: leave out the quotes around it: --command -- {words[0][:SHOWN]}"


def _is_program(path: Path) -> bool:
    return shutil.which(str(path)) is not None
