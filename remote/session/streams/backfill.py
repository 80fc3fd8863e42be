"""Bytes that stand before what a view shows: asked for when somebody scrolls back, or to fill a gap."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from remote.protocol.errors import ProtocolError
from remote.protocol.views import checked
from remote.session.session import Session

N_MAX = 524288


@dataclass(frozen=True, slots=True)
class Backfill:
    """Bytes [offset, offset + len(data)) of `file`; `is_first`: nothing stands before them."""

    file: str
    offset: int
    data: bytes
    is_first: bool

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "Backfill":
        """Check and freeze an answer of the verb `older`.

        Raises:
            ProtocolError: malformed.
        """
        try:
            data = base64.b64decode(checked(raw, "data", (str,)), validate=True)
        except (binascii.Error, ValueError) as error:
            raise ProtocolError("older bytes that are no base64") from error
        offset = checked(raw, "offset", (int,))
        if offset < 0 or len(data) > N_MAX:
            raise ProtocolError("older bytes out of range")
        return cls(checked(raw, "file", (str,)), offset, data, checked(raw, "is_first", (bool,)))


def older_args(
    file: str, before: int, n: int = 262144, *, run_id: str = "", what: str = "log", path: str = ""
) -> dict[str, Any]:
    """Arguments of the verb `older`, for a screen that calls it without waiting."""
    whose = {"path": path} if what == "watch" else {"run_id": run_id}
    return {"what": what, "file": file, "before": before, "n": min(n, N_MAX), **whose}


def read_older(session: Session, file: str, before: int, n: int = 262144, **whose: str) -> Backfill:
    """At most `n` bytes before byte `before` of a file of a stream, from the start of a line; of the file
    before where `before` is 0. `whose`: `run_id` and `what` (`log`, `events`), or `what="watch"` and `path`.

    Raises:
        CallError: `not_found`: the file is gone or was cut; `unreachable`, ...
        ProtocolError: the answer is malformed.
    """
    return Backfill.from_json(session.call("older", older_args(file, before, n, **whose)))
