"""Starting a supervisor: in its own session, with the locks already on its descriptors."""

import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence

from trainer.run.disk.atomic import open_append
from trainer.run.home import HOME_VARIABLE, Home
from trainer.run.layout import RunDir
from trainer.run.locks import Flock
from trainer.run.process.process_record import RUN_VARIABLES

PROGRAM = ("-P", "-m", "remote.supervisor")
RUN_LOCK = "run"


def spawn_supervisor(
    home: Home,
    run: RunDir,
    attempt: int,
    locks: Mapping[str, Flock],
    *,
    adopt: bool = False,
    resume_from: str = "",
    program: Sequence[str] = (),
    inherited: Mapping[str, str] | None = None,
) -> int:
    """Start the supervisor of `run` and hand it the locks; returns its pid.

    `locks` maps `run` to the run's own lock and each device's name to its lock, all taken. They share one
    open file description with the child, so there is no moment at which they look free; on return this
    process has let go of its own copies. If the spawn fails the locks stay with the caller.

    Raises:
        OSError: no process could be started.
    """
    fds = ",".join(f"{name}={lock.fd}" for name, lock in sorted(locks.items()))
    argv = [*(program or (sys.executable, *PROGRAM)), "--run-dir", str(run.path), "--home", str(home.root)]
    argv += ["--attempt", str(attempt), "--lock-fds", fds]
    if adopt:
        argv.append("--adopt")
    if resume_from:
        argv += ["--from", resume_from]
    with os.fdopen(open_append(run.supervisor_log), "ab") as log:
        child = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=home.root,
            env=supervisor_environment(home, inherited or {}),
            pass_fds=[lock.fd for lock in locks.values()],
            start_new_session=True,
        )
    for lock in locks.values():
        lock.close()
    # Whoever outlives the supervisor reaps it; whoever does not leaves it to init.
    threading.Thread(target=child.wait, name=f"reap-{child.pid}", daemon=True).start()
    return child.pid


def supervisor_environment(home: Home, inherited: Mapping[str, str]) -> dict[str, str]:
    """Ours and what was handed over for this attempt, with the state root named, without the marks of a run
    that we may ourselves be part of."""
    env = {key: value for key, value in {**os.environ, **inherited}.items() if key not in RUN_VARIABLES}
    return env | {HOME_VARIABLE: str(home.root)}
