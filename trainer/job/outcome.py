"""How an attempt ends: the typed reasons, and what the exit file and the exit code make of them."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal, TypedDict

from trainer.user_error import UserError

Outcome = Literal["succeeded", "stopped", "failed"]


class ExitCode(IntEnum):
    """Exit codes of `photinus-train`."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    REFUSED = 3
    BUSY = 4


class RefusedError(UserError):
    """What was asked for must not be done as it stands; the message names the remedy."""

    exit_code = ExitCode.REFUSED


class BusyError(UserError):
    """Another process trains in this folder; the message names it."""

    exit_code = ExitCode.BUSY


class TrainingFailedError(UserError):
    """The run cannot go on; the message says why, and from where it can be continued."""


class DivergedError(TrainingFailedError):
    """Numbers that are not finite any more: the same step from the same checkpoint would end so again."""


class StoppedError(Exception):
    """A stop was honoured. No fault: it unwinds the loop to its end."""


class Standing(TypedDict):
    """Where a run stands: its last step, its newest proven checkpoint, the hash of that one's manifest."""

    step: int
    checkpoint: str | None
    sha256: str | None


@dataclass(slots=True)
class Ledger:
    """How far this attempt has come; the last word is written from it, however the attempt ends.

    Attributes:
        step: last finished optimizer step of the run.
        steps_done: optimizer steps of this attempt.
        checkpoint, sha256: the newest proven checkpoint of this lineage, and the hash of its manifest.
    """

    step: int = 0
    steps_done: int = 0
    checkpoint: str | None = None
    sha256: str | None = None
    checkpoint_step: int = -1

    def standing(self) -> Standing:
        """What a last word and the answer to a stop both say."""
        return {"step": self.step, "checkpoint": self.checkpoint, "sha256": self.sha256}

    def at_checkpoint(self, step: int, name: str | None, sha256: str | None) -> None:
        """Take note of a checkpoint that is proven on disk; None: there is none any more."""
        self.checkpoint, self.sha256, self.checkpoint_step = name, sha256, step


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """Outcome, reason and exit code of an attempt; `hopeless`: a restart would end likewise."""

    outcome: Outcome
    reason: str
    code: ExitCode
    hopeless: bool = False
