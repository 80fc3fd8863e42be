"""What of Paramiko's SFTP client is private, in one place, and looked at when this module is imported.

Keeping a line full takes three methods that Paramiko does not promise. Where a release has them otherwise,
`KNOWN` is False, and `bulk` goes the public way: slower, and the same bytes.
"""

import inspect
from typing import Any

import paramiko
from paramiko.sftp import SFTPError, int64

BROKEN = (paramiko.SSHException, SFTPError, EOFError)
NEEDED = {
    "_async_request": ["fileobj", "t", "args"],
    "_read_response": ["waitfor"],
    "_convert_status": ["msg"],
}
"""Method -> its parameters, without `self`."""


def are_known(client: type = paramiko.SFTPClient) -> bool:
    """Whether the methods are there, and take what we give them."""
    for name, wanted in NEEDED.items():
        method = getattr(client, name, None)
        if not callable(method):
            return False
        if [*inspect.signature(method).parameters][1:] != wanted:
            return False
    return True


KNOWN = are_known()


class SftpInternals(paramiko.SFTPClient):
    """Paramiko's client with names for what is private in it; what breaks fails as files do."""

    def request(self, answers: Any, kind: int, handle: bytes, offset: int, what: int | bytes) -> int:
        """Ask without waiting: the answer goes to `answers._async_response`; its number.

        Raises:
            ConnectionError: the link broke.
        """
        return int(self._async_request(answers, kind, handle, int64(offset), what))

    def hear_answer(self) -> None:
        """Wait for the next answer, whosever it is.

        Raises:
            ConnectionError: the link broke.
        """
        self._read_response()

    def raise_status(self, message: Any) -> None:
        """What a status message says.

        Raises:
            OSError: as the host says. EOFError: the file ends here.
        """
        self._convert_status(message)

    def _convert_status(self, msg: Any) -> None:
        try:
            super()._convert_status(msg)  # type: ignore[misc]
        except UnicodeDecodeError:
            raise OSError("the host's SFTP failed, and says why in no text") from None

    def _async_request(self, *args: Any, **more: Any) -> Any:
        try:
            return super()._async_request(*args, **more)  # type: ignore[misc]
        except BROKEN as error:
            raise ConnectionResetError(f"the link broke during a transfer: {error}") from None

    def _read_response(self, *args: Any, **more: Any) -> Any:
        try:
            return super()._read_response(*args, **more)  # type: ignore[misc]
        except paramiko.SSHException as error:
            raise ConnectionResetError(f"the link broke during a transfer: {error}") from None
