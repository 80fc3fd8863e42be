"""What can go wrong with text and tokens. Every message names the remedy."""


class DataError(Exception):
    """Text that cannot be read, split or cached.

    Attributes:
        remedy: What a person can do about it, one sentence.
        is_input: Whether what was asked for is at fault, so that asking again would fail again.
    """

    is_input = True

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message}: {remedy}")
        self.remedy = remedy


class BadFileError(DataError):
    """One file that is not text; named among the notes when it is one of many in a folder."""


class ChangedWhileReadError(DataError):
    """Input that was written to while it was read."""

    is_input = False


class CacheError(DataError):
    """The disk, not the text."""

    is_input = False


class Stopped(Exception):  # noqa: N818 - a request that was honoured, no error
    """`should_stop` said so; nothing half-made is left behind."""
