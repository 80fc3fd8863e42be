"""Which of several processes is at fault when a run of theirs fails: a pure decision."""

import signal
from collections.abc import Sequence
from dataclasses import dataclass

from trainer.run.records import ExitRecord

LOST_PEER = "another process of this run was lost"
AT_ONCE_S = 2.0  # torchrun's clock counts whole seconds, and those that lose a peer fail right after it


@dataclass(frozen=True, slots=True)
class Failure:
    """How one process ended.

    Attributes:
        exitcode: below zero for the signal that killed it.
        at: seconds since the epoch when that was seen.
        message: what it reported of its own error, "" for nothing.
    """

    rank: int
    exitcode: int
    at: float
    message: str = ""


def verdict(failures: Sequence[Failure], word: ExitRecord | None) -> tuple[str, int]:
    """Return the reason to be left as the last word, "" if process 0's own stands, and the exit code.

    Those that lost a peer are not at fault, nor are those whom torchrun ended because of another. A word of
    success or of a stop is left after the last save: what befell anybody afterwards took nothing away. So,
    among the first to fail: one that was killed, else process 0 with its word, else one that told an error.
    """
    if not failures or (word and word.outcome != "failed"):
        return "", 0
    first = min(one.at for one in failures)
    early = sorted((one for one in failures if one.at - first <= AT_ONCE_S), key=lambda one: one.at)
    for one in early:
        if one.exitcode < 0 and -one.exitcode != signal.SIGTERM:
            return f"process {one.rank} was killed by {_name(-one.exitcode)}", 1
    leader = next((one for one in early if one.rank == 0), None)
    if leader and leader.exitcode > 0 and word and not word.reason.startswith(LOST_PEER):
        return "", leader.exitcode
    for one in early:
        if one.message:
            return f"process {one.rank} failed: {one.message}", one.exitcode
    ended = next((one for one in early if one.exitcode < 0), early[0])
    how = f"was ended by {_name(-ended.exitcode)}" if ended.exitcode < 0 else f"left with {ended.exitcode}"
    return f"process {ended.rank} {how}", 1


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
