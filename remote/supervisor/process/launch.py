"""Starting the trainer, or the user's command: environment and descriptors."""

import os
import subprocess
from collections.abc import Mapping

from remote.supervisor.process.launchers import launcher_of
from remote.supervisor.process.work_copy import folder_of
from trainer.run.layout import RunDir
from trainer.run.locks import Flock
from trainer.run.logs import begin_log
from trainer.run.process.process_record import (
    ATTEMPT_VARIABLE,
    LOCK_FD_VARIABLE,
    RUN_DIR_VARIABLE,
    RUN_VARIABLES,
    TOKEN_VARIABLE,
    ProcessRecord,
)
from trainer.run.spec import RunSpec


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
            launcher_of(spec).argv(spec, run, record.attempt, resume_from),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder_of(spec, run),
            env=environment_of(spec, run, record, lock.fd),
            umask=spec.umask if spec.umask >= 0 else umask,
            pass_fds=[lock.fd],
            start_new_session=True,
        )
    finally:
        os.close(log)
