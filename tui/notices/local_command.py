"""A notice to a command of this machine: as JSON on its stdin, and in its environment."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence

from tui.notices.channel_bodies import notice_json, said
from tui.notices.delivery import Trial
from tui.notices.notice import Notice

WHOLE_S = 30.0


def call_command(words: Sequence[str], one: Notice, whole_s: float = WHOLE_S) -> Trial:
    """Run it, with the notice in a line as its last word; exit code 0 has taken it. No shell reads the words.

    It is ended with all that it started after `whole_s` seconds. What it prints goes nowhere.
    """
    told = {name: str(value) for name, value in one.to_json().items()}
    env = {**os.environ, **{f"PHOTINUS_ALERT_{name.upper()}": text for name, text in told.items()}}
    try:
        child = subprocess.Popen(
            [*words, said(one)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=env, start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it cannot be called so"
        return Trial(False, f"not started: {why}")
    try:
        child.communicate(notice_json(one), timeout=whole_s)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)  # not reaped yet: the group is still its own
        child.wait()
        return Trial(False, f"not done after {whole_s:g} s")
    code = child.returncode
    return Trial(code == 0, "done" if code == 0 else f"ended with {code}")
