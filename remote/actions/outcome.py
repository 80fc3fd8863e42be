"""How an action ended: a value with a code and a remedy, for a person and for a script."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from remote.protocol.errors import CallError, ErrorCode
from remote.protocol.views import RunView


@dataclass(frozen=True, slots=True)
class Outcome:
    """`code` is `ok` or that of an error; `run` is the newest view, where there is one."""

    ok: bool
    run: RunView | None = None
    code: ErrorCode | Literal["ok"] = "ok"
    message: str = ""
    remedy: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """What a command with this outcome exits with."""
        return 0 if self.ok else self.error.exit_code

    @property
    def error(self) -> CallError:
        """What went wrong, for who would rather raise it."""
        code = "internal" if self.code == "ok" else self.code
        return CallError(code, self.message, self.remedy, self.detail)


def failed(error: CallError, run: RunView | None = None) -> Outcome:
    """The outcome of an action whose verb was refused or not answered."""
    return Outcome(False, run, error.code, error.message, error.remedy, error.detail)
