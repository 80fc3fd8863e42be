"""Where a run keeps checkpoints and feed: its own folder, or the --out of `photinus-train` as a command."""

from itertools import pairwise
from pathlib import Path

from remote.agent.context import Context
from remote.agent.starts.shipped_code import begins_in
from trainer.run.layout import RunDir

OUT = "--out"


def trained_folder(ctx: Context, run: RunDir) -> Path:
    """Return that folder; of a command that is none of ours, the run's own."""
    spec = ctx.views.spec(run)
    if spec.kind == "trainer":
        return run.path
    words = [*spec.argv, *spec.resume_argv]
    ours = any(Path(word).name == "photinus-train" for word in words) or "trainer" in words
    named = [after for word, after in pairwise(words) if word == OUT]
    named += [word.removeprefix(f"{OUT}=") for word in words if word.startswith(f"{OUT}=")]
    for one in named if ours else ():
        folder = begins_in(spec, run) / Path(one).expanduser()
        if folder.is_dir():
            return folder
    return run.path
