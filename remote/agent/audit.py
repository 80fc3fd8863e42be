"""The host's own record of who did what: each acting verb before it is tried, and what came of it."""

import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from remote.audit.audit_log import NAME, append, entry
from remote.protocol.arguments import VerbArgs, as_filled
from remote.protocol.errors import CallError
from remote.protocol.verbs import acts
from trainer.run.home import Home

ITSELF = "the agent itself"
KEYS = ("start_id", "req_id", "run_id", "pid")


class Auditor:
    """Writes entries for one agent. What cannot be written is reported on stderr, and holds up nothing."""

    def __init__(self, home: Home) -> None:
        self.path = audit_path(home)
        self.who = "a client that said no hello"

    def asked(self, verb: str, args: VerbArgs, who: str = "") -> None:
        """A verb is about to be carried out."""
        if acts(verb):
            self._write(verb, as_filled(args), who, "asked")

    def ended(self, verb: str, args: VerbArgs, error: CallError | None = None) -> None:
        """It was carried out, or was refused."""
        if not acts(verb):
            return
        filled = as_filled(args)
        spec = filled.get("spec")
        named = {key: filled[key] for key in KEYS if key in filled}
        if isinstance(spec, Mapping) and "run_id" in spec:
            named["run_id"] = spec["run_id"]
        outcome, message = (error.code, error.message) if error else ("ok", "")
        self._write(verb, named, filled.get("by", ""), outcome, message)

    def noted(self, verb: str, args: Mapping[str, Any], message: str = "") -> None:
        """What a verb is about to do to what, where its own arguments do not say so."""
        self._write(verb, args, "", "asked", message)

    def _write(self, verb: str, args: Mapping[str, Any], who: str, outcome: str, message: str = "") -> None:
        try:
            append(self.path, entry(verb, args, who or self.who, outcome=outcome, said=message))
        except OSError as error:
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.write(f"the audit log could not be written: {error}\n")
                sys.stderr.flush()


def audit_path(home: Home) -> Path:
    """Where the host's audit log lies."""
    return home.root / NAME
