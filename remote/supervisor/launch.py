"""Starting the trainer, or the user's command: argv, environment, descriptors."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from trainer.run.layout import RunDir
from trainer.run.locks import Flock
from trainer.run.logs import begin_log
from trainer.run.processes import (
    ATTEMPT_VARIABLE,
    LOCK_FD_VARIABLE,
    RUN_DIR_VARIABLE,
    RUN_VARIABLES,
    TOKEN_VARIABLE,
    ProcessRecord,
)
from trainer.run.spec import RunSpec

TRAINER = ("-P", "-m", "trainer", "run")
ARGV_VARIABLE = "PHOTINUS_TRAINER_ARGV"  # a JSON list in place of `python -P -m trainer run`, for tests


def argv_of(
    spec: RunSpec, run: RunDir, attempt: int, resume_from: str, env: Mapping[str, str] = os.environ
) -> Sequence[str]:
    """What is executed. A command's later attempts use its resume command, if it has one."""
    if spec.kind == "command":
        return spec.resume_argv if attempt > 1 and spec.resume_argv else spec.argv
    base = json.loads(env[ARGV_VARIABLE]) if env.get(ARGV_VARIABLE) else [sys.executable, *TRAINER]
    source = ["--from", resume_from] if resume_from else []
    return [*base, "--spec", str(run.path), *source]


def environment_of(
    spec: RunSpec, run: RunDir, record: ProcessRecord, lock_fd: int, env: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """The supervisor's environment, the spec's, and the marks by which the process is found again."""
    base = {key: value for key, value in env.items() if key not in RUN_VARIABLES}
    marks = {
        TOKEN_VARIABLE: record.token,
        ATTEMPT_VARIABLE: str(record.attempt),
        RUN_DIR_VARIABLE: str(run.path),
        LOCK_FD_VARIABLE: str(lock_fd),
    }
    return {**base, "PYTHONUNBUFFERED": "1", **spec.env, **marks}


def launch(
    spec: RunSpec, run: RunDir, record: ProcessRecord, lock: Flock, resume_from: str, umask: int
) -> "subprocess.Popen[bytes]":
    """Start it in its own session, with the log as stdout and stderr and only trainer.lock inherited.

    Raises:
        OSError: no such program or folder, or no process could be made.
    """
    log = begin_log(run, record.attempt)
    try:
        return subprocess.Popen(
            argv_of(spec, run, record.attempt, resume_from),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=spec.cwd or Path.home(),
            env=environment_of(spec, run, record, lock.fd),
            umask=spec.umask if spec.umask >= 0 else umask,
            pass_fds=[lock.fd],
            start_new_session=True,
        )
    finally:
        os.close(log)
