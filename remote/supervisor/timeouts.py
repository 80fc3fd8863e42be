"""Every waiting time of a supervisor, in one place, so that a test can shorten it."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

from trainer.run.run_errors import SpecError

VARIABLE = "PHOTINUS_PATIENCE"


@dataclass(frozen=True, slots=True)
class SupervisorTimeouts:
    """Seconds. `PHOTINUS_PATIENCE='{"unkillable_s": 1}'` overrides single ones.

    Attributes:
        poll_s: how often requests and the hello are looked for.
        grace_s: from SIGTERM to SIGKILL of a kill, and of workers that outlive their trainer.
        linger_s: how long what outlives the first process may take to end by itself.
        stalled_s: how long a stalled attempt may take to save and end, once it is asked to.
        unkillable_s: from SIGKILL to the state `unkillable`.
        disk_full_s: how long the terminal state waits for space after the reserve is spent.
        backoff_cap_s: longest wait before a restart.
        forgotten_s: age at which a start that nobody carried out is marked died.
        lock_s: how long the trainer's lock may take to come free.
        on_end_s: how long the command that is called at the end may take.
    """

    poll_s: float = 0.03
    grace_s: float = 2.0
    linger_s: float = 2.0
    stalled_s: float = 60.0
    unkillable_s: float = 30.0
    disk_full_s: float = 30.0
    backoff_cap_s: float = 300.0
    forgotten_s: float = 600.0
    lock_s: float = 1.0
    on_end_s: float = 600.0

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> "SupervisorTimeouts":
        """The defaults with the environment's overrides.

        Raises:
            SpecError: the variable is malformed.
        """
        text = env.get(VARIABLE, "")
        if not text:
            return cls()
        try:
            return cls(**{key: float(value) for key, value in json.loads(text).items()})
        except (ValueError, TypeError, AttributeError) as error:
            raise SpecError(f"{VARIABLE} must be a JSON object of seconds: {error}") from error
