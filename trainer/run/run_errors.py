"""What can go wrong with a run on disk. Every message names the remedy."""


class RunError(Exception):
    """Base of everything that the run contract refuses."""


class SpecError(RunError):
    """A spec that cannot be run."""


class HomeError(RunError):
    """A state root that is not safe to use."""


class LockHeldError(RunError):
    """A lock that somebody else holds."""


class StaleWriteError(RunError):
    """A state write that lost the compare-and-set."""


class CheckpointError(RunError):
    """A checkpoint that is missing, torn or tampered with."""
