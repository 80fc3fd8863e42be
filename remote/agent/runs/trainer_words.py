"""The verbs `trainer-look` and `trainer-act`: what `photinus-train checkpoints` and `feed` say of a run.

They are asked of that very program, in a process of its own: no tensor is loaded, and torch is not needed.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from remote.agent.background import in_thread
from remote.agent.context import Context
from remote.agent.runs.trained_folder import trained_folder
from remote.agent.verb import Work
from remote.protocol.errors import CallError
from remote.protocol.trained import TrainerAnswer, TrainerArgs

LOOKS = {"checkpoints": ("list", "show", "diff", "verify", "lineage"), "feed": ("list",)}
ACTS = {
    "checkpoints": ("pin", "unpin", "retain", "restore"),
    "feed": ("pause", "resume", "stop", "skip", "retry", "move", "snapshot"),
}
OPTIONS = frozenset(
    {"--json", "--plan", "--as-planned", "--most", "--keep-last", "--keep-best", "--keep-every", "--max-gb"}
)
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
PLAN = "--plan"
LONGEST_S = 600.0
OUT_MAX = 400_000


def look(ctx: Context, args: TrainerArgs) -> Work[TrainerAnswer]:
    """The verb `trainer-look`.

    Raises:
        CallError: `bad_request`: it is no such word, or changes something; `not_found`.
    """
    if args.words[0] == "retain" and PLAN in args.words:
        return _ask(ctx, args, ("retain",))
    return _ask(ctx, args, LOOKS[args.room])


def act(ctx: Context, args: TrainerArgs) -> Work[TrainerAnswer]:
    """The verb `trainer-act`.

    Raises:
        CallError: as `look`.
    """
    return _ask(ctx, args, ACTS[args.room])


def _ask(ctx: Context, args: TrainerArgs, known: tuple[str, ...]) -> Work[TrainerAnswer]:
    run = ctx.run(args.run_id)
    word, *rest = args.words
    if word not in known:
        raise CallError(
            "bad_request", f"{args.room} knows no {word[:40]!r} here", f"one of {', '.join(known)}"
        )
    for one in rest:
        if one not in OPTIONS and not WORD.fullmatch(one):
            raise CallError("bad_request", f"{one[:80]!r} is no word of it", "a name, a number or an option")
    folder = trained_folder(ctx, run)
    done = yield from in_thread(lambda: _run(ctx, folder, args.room, [word, str(folder), *rest]))
    if len(done.stdout) > OUT_MAX:
        raise CallError(
            "refused",
            f"{len(done.stdout):,} characters are too many for one answer",
            "name fewer checkpoints",
        )
    said = done.stderr.removeprefix("photinus-train: ").strip()[-4000:]
    return TrainerAnswer(run_id=run.run_id, code=max(0, done.returncode), out=done.stdout, said=said)


def _run(ctx: Context, folder: Path, room: str, words: list[str]) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(
            [sys.executable, "-P", "-m", "trainer", room, *words], capture_output=True, text=True,
            errors="replace", stdin=subprocess.DEVNULL, timeout=LONGEST_S, check=False, cwd=folder,
            env={**os.environ, "PHOTINUS_HOME": str(ctx.home.root)},
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise CallError(
            "timeout", f"{room} {words[0]} took more than {LONGEST_S:g} s", "try again"
        ) from error
