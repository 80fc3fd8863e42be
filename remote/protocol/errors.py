"""What an agent or a link can answer instead of a result: one code, one sentence, one remedy."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from trainer.user_error import UserError

ErrorCode: TypeAlias = Literal[
    "bad_request",
    "unknown_verb",
    "not_found",
    "already_running",
    "device_busy",
    "need_deploy",
    "refused",
    "incompatible",
    "disk_low",
    "timeout",
    "unreachable",
    "key_unknown",
    "key_changed",
    "needs_passphrase",
    "proxy_unconfirmed",
    "auth_refused",
    "damaged",
    "internal",
]
"""Every code that an error can have: a code of a later version is read as `internal`."""

EXIT_CODES: Mapping[ErrorCode, int] = {
    "bad_request": 2,
    "unknown_verb": 3,
    "not_found": 6,
    "already_running": 4,
    "device_busy": 4,
    "need_deploy": 3,
    "refused": 3,
    "incompatible": 3,
    "disk_low": 3,
    "timeout": 7,
    "unreachable": 5,
    "key_unknown": 3,
    "key_changed": 3,
    "needs_passphrase": 3,
    "proxy_unconfirmed": 3,
    "auth_refused": 3,
    "damaged": 1,
    "internal": 1,
}
"""Error code -> exit code of a command."""


def known_code(code: str) -> ErrorCode:
    """The code of a host's error; one of a later version is `internal`."""
    return next((one for one in EXIT_CODES if one == code), "internal")


class CallError(UserError):
    """A verb answered with an error.

    Attributes:
        code: what kind of error it is, for a program.
        remedy: what the operator can do; may be empty.
        detail: numbers and names behind the sentence (owner, pid, bytes free, ...).
    """

    def __init__(
        self, code: ErrorCode, message: str, remedy: str = "", detail: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message, remedy)
        self.code = code
        self.exit_code = EXIT_CODES[code]
        self.detail: dict[str, Any] = dict(detail or {})


class ProtocolError(CallError):
    """What came over the wire is no message of ours. `request_id` is set where it could still be read."""

    def __init__(
        self,
        message: str,
        remedy: str = "update the older Photinus of the two, and look at that host",
        *,
        code: ErrorCode = "internal",
        request_id: int | None = None,
    ) -> None:
        super().__init__(code, message, remedy)
        self.request_id = request_id


class UnreachableError(CallError):
    """The host could not be reached. Its runs are unknown, not dead."""

    def __init__(self, message: str, remedy: str = "", detail: Mapping[str, Any] | None = None) -> None:
        super().__init__("unreachable", message, remedy, detail)


class TimeoutError_(CallError):  # noqa: N801, N818  the underscore tells it from Python's own
    """The host is reachable and did not answer in time."""

    def __init__(self, message: str, remedy: str = "", detail: Mapping[str, Any] | None = None) -> None:
        super().__init__("timeout", message, remedy, detail)


@dataclass(frozen=True, slots=True)
class Question:
    """What only the operator can decide before a host is reached.

    Attributes:
        kind: which of `remote.transport.base.Answers` the answer goes to.
        host: the host as the operator calls it.
        subject: `name:port` of the hop whose key it is, the path of the private key, or the ProxyCommand.
        key_type, fingerprint: of a host key, such as `ssh-ed25519` and `SHA256:...`; of a ProxyCommand the
            fingerprint is the SHA-256 of its text.
    """

    kind: Literal["host_key", "passphrase", "proxy_command"]
    host: str
    subject: str
    key_type: str = ""
    fingerprint: str = ""


class QuestionError(CallError):
    """Trying again would not help until the operator has answered `question`."""

    def __init__(self, code: ErrorCode, message: str, remedy: str, question: Question) -> None:
        super().__init__(code, message, remedy)
        self.question = question
