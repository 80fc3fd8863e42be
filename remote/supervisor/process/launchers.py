"""How a run's processes come to be, and how they are asked to stop: the seam for more than one process.

`docs/launchers.md` says what a further launcher (Slurm, say) has to keep.
"""

import json
import os
import sys
from collections.abc import Sequence
from typing import Protocol

from trainer.run.layout import RunDir
from trainer.run.spec import RunSpec

ARGV_VARIABLE = "PHOTINUS_TRAINER_ARGV"  # a JSON list in place of `python -P -m ...`, for tests


class Launcher(Protocol):
    """What the supervisor must know of one way to start a run.

    The process that `argv` becomes is the trainer of record: its identity is recorded, its end is the
    attempt's end, and it inherits trainer.lock. Whatever else it starts must carry the run's token in its
    environment: by that, and by the session of the process of record, survivors are found and killed.

    Attributes:
        name: as docs and logs call it.
        stops_by_signal: a graceful stop sends a signal to the process of record; else the request file in
            `control/` is all that it gets, and who reads it answers as our trainer does.
    """

    @property
    def name(self) -> str:
        """See above."""

    @property
    def stops_by_signal(self) -> bool:
        """See above."""

    def argv(self, spec: RunSpec, run: RunDir, attempt: int, resume_from: str) -> Sequence[str]:
        """What is executed for this attempt; `resume_from` names a checkpoint, "" for none."""


class Command:
    """The user's own command: a process that we know nothing about but its signal."""

    name = "command"
    stops_by_signal = True

    def argv(self, spec: RunSpec, run: RunDir, attempt: int, resume_from: str) -> Sequence[str]:
        """A later attempt uses the resume command, if there is one."""
        del run, resume_from
        return spec.resume_argv if attempt > 1 and spec.resume_argv else spec.argv


class Direct:
    """Our trainer, one process."""

    name = "direct"
    stops_by_signal = True
    module: Sequence[str] = ("trainer", "run")

    def argv(self, spec: RunSpec, run: RunDir, attempt: int, resume_from: str) -> Sequence[str]:
        """`python -P -m trainer run --spec RUN_DIR`: what to run is read there, never in an argv."""
        del attempt
        given = os.environ.get(ARGV_VARIABLE)
        base = json.loads(given) if given else [interpreter_of(spec, run), "-P", "-m", *self.module]
        return [*base, "--spec", str(run.path), *(["--from", resume_from] if resume_from else [])]


class Torchrun(Direct):
    """Our trainer in several processes of this host, started by torchrun.

    Stopped by the control file alone: torchrun's own SIGTERM grants its processes 30 seconds, and a save may
    take longer. The processes have sessions of their own and no descriptor of trainer.lock.
    """

    name = "torchrun"
    stops_by_signal = False
    module = ("trainer.torchrun",)


def launcher_of(spec: RunSpec) -> Launcher:
    """How this run is started."""
    if spec.kind == "command":
        return Command()
    return Torchrun() if spec.processes > 1 else Direct()


def interpreter_of(spec: RunSpec, run: RunDir) -> str:
    """The Python of the environment that the run was started in; ours where there is none, or no more."""
    pinned = run.path.parents[1] / "envs" / spec.env_hash / "bin" / "python"
    return str(pinned) if spec.env_hash and pinned.exists() else sys.executable
