"""Whether this client may act, or only look: `photinus --read-only`, or PHOTINUS_READ_ONLY=1."""

import os
from collections.abc import Mapping

from remote.protocol.errors import CallError

READ_ONLY_VARIABLE = "PHOTINUS_READ_ONLY"
OFF = frozenset({"", "0", "no", "false"})


def is_read_only(env: Mapping[str, str] = os.environ) -> bool:
    """Whether this process may only look."""
    return env.get(READ_ONLY_VARIABLE, "").lower() not in OFF


def refusal(what: str) -> CallError:
    """Why nothing was sent."""
    return CallError(
        "refused",
        f"this client only looks (--read-only): {what} was not sent",
        f"leave out --read-only (and unset {READ_ONLY_VARIABLE})",
    )


def demand_may_act(what: str, env: Mapping[str, str] = os.environ) -> None:
    """For what changes a host without a verb: a deploy, a push.

    Raises:
        CallError: `refused`: this client only looks.
    """
    if is_read_only(env):
        raise refusal(what)
