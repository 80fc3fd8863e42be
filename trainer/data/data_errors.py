"""What can go wrong with text and tokens. Every message names the remedy."""

from trainer.user_error import UserError


class DataError(UserError):
    """Text that cannot be read, split or cached; exit code 1 where asking again may go well."""

    exit_code = 2

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message, remedy)

    def __str__(self) -> str:
        return f"{self.message}: {self.remedy}"


class BadFileError(DataError):
    """One file that is not text; named among the notes when it is one of many in a folder."""


class ChangedWhileReadError(DataError):
    """Input that was written to while it was read."""

    exit_code = 1


class CacheError(DataError):
    """The disk, not the text."""

    exit_code = 1


class Stopped(Exception):  # noqa: N818 - a request that was honoured, no error
    """`should_stop` said so; nothing half-made is left behind."""
