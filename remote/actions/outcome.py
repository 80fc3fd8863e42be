"""How an action ended: a value with a code and a remedy, for a person and for a script."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from remote.protocol.errors import EXIT_CODES, CallError
from remote.protocol.views import RunView


@dataclass(frozen=True, slots=True)
class Outcome:
    """`code` is `ok` or a key of `remote.protocol.errors.EXIT_CODES`; `run` is the newest view, where there is one."""

    ok: bool
    run: RunView | None = None
    code: str = "ok"
    message: str = ""
    remedy: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """What a command with this outcome exits with."""
        return 0 if self.ok else EXIT_CODES.get(self.code, 1)


def failed(error: CallError, run: RunView | None = None) -> Outcome:
    """The outcome of an action whose verb was refused or not answered."""
    return Outcome(False, run, error.code, error.message, error.remedy, error.detail)
