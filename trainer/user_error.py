"""The one base of errors that a person is told of: what is wrong, what mends it, how a command ends so."""


class UserError(Exception):
    """Something that whoever asked can do something about; no traceback is shown of it.

    Attributes:
        message: what is wrong, in a sentence.
        remedy: what mends it; empty where the message says it.
        exit_code: of a command that ends so.
    """

    exit_code: int = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message, self.remedy = message, remedy

    @property
    def in_full(self) -> str:
        """Both, on one line."""
        return f"{self.message}. {self.remedy}" if self.remedy else self.message
