"""What can go wrong with a run on disk. Every message names the remedy."""

from trainer.user_error import UserError


class RunError(UserError):
    """Base of everything that the run contract refuses."""


class RecordError(RunError):
    """A file of a run that is no record of ours: unreadable, absurd or of another kind."""


class SpecError(RunError):
    """A spec that cannot be run."""

    exit_code = 2


class HomeError(RunError):
    """A state root that is not safe to use."""

    exit_code = 3


class LockHeldError(RunError):
    """A lock that somebody else holds."""


class StaleWriteError(RunError):
    """A state write that lost the compare-and-set."""


class CheckpointError(RunError):
    """A checkpoint that is missing, torn or tampered with."""
