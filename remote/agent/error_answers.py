"""What a client is told of an exception."""

import errno

from remote.protocol.errors import CallError
from trainer.run.run_errors import HomeError, LockHeldError, RunError, SpecError

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
SHOWN = 200


def as_call_error(error: Exception) -> CallError:
    """What the client is told of an exception. What nobody foresaw names its type: it is our fault."""
    if isinstance(error, CallError):
        return error
    if isinstance(error, SpecError):
        return CallError("bad_request", str(error))
    if isinstance(error, HomeError):
        return CallError("refused", str(error))
    if isinstance(error, LockHeldError):
        return CallError("timeout", str(error), "try again")
    if isinstance(error, RunError):
        return CallError("internal", str(error), "photinus doctor")
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        return CallError("disk_low", f"the host's disk is full: {error}", "free some space and try again")
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return CallError(
            "bad_request", f"no file can be called so: {str(error.filename)[:SHOWN]}", "shorten it"
        )
    if isinstance(error, OSError) and error.filename is not None:
        what = "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror
        why = f"{str(error.filename)[:SHOWN]}: {what}"
        return CallError("refused", why, "photinus doctor names what is out of order on its host")
    return CallError("internal", f"{type(error).__name__}: {error}", "please report this")
