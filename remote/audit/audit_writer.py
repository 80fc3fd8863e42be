"""Keeps this client's audit log, on a thread of its own: neither a screen nor a link waits for the disk."""

import queue
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from remote.audit.audit_log import NAME, append, entry
from remote.audit.whoami import whoami
from remote.hosts.client_state import make_client_folder
from remote.protocol.answers import Answer, OnDone
from remote.protocol.errors import CallError
from remote.protocol.views import AuditEntry
from trainer.run.run_errors import RunError

R = TypeVar("R")


class AuditWriter:
    """Writes entries in order. `trouble` is the last reason why one could not be written, else empty."""

    def __init__(self) -> None:
        self.trouble = ""
        self._entries: queue.Queue[AuditEntry] = queue.Queue()
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None

    def note(self, one: AuditEntry) -> None:
        """Write this soon."""
        with self._start:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="photinus-audit", daemon=True)
                self._thread.start()
        self._entries.put(one)

    def flush(self, timeout: float = 1.0) -> bool:
        """Wait until everything noted so far was written or given up; False after `timeout` seconds."""
        done = self._entries.all_tasks_done
        with done:
            return done.wait_for(lambda: not self._entries.unfinished_tasks, timeout)

    def audited(self, host: str, verb: str, args: Mapping[str, Any], on_done: OnDone[R]) -> OnDone[R]:
        """Note that a verb was asked for; what this returns notes its outcome, and then calls `on_done`."""
        who = whoami()
        self.note(entry(verb, args, who, host=host, outcome="asked"))

        def finish(answer: Answer[R]) -> None:
            failed = isinstance(answer, CallError)
            outcome, message = (answer.code, answer.message) if isinstance(answer, CallError) else ("ok", "")
            self.note(
                entry(verb, args if failed else _named(args), who, host=host, outcome=outcome, said=message)
            )
            on_done(answer)

        return finish

    @contextmanager
    def audited_act(self, host: str, what: str, args: Mapping[str, Any]) -> Iterator[None]:
        """Note what changes a host without a verb (`deploy`, `push`): that it was begun, and how it ended."""
        who = whoami()
        self.note(entry(what, args, who, host=host, outcome="asked"))
        outcome, message = "internal", "broken off"
        try:
            yield
            outcome, message = "ok", ""
        except CallError as error:
            outcome, message = error.code, error.message
            raise
        except OSError as error:
            message = str(error)
            raise
        finally:
            self.note(entry(what, {}, who, host=host, outcome=outcome, said=message))
            self.flush()

    def _work(self) -> None:
        while True:
            one = self._entries.get()
            try:
                append(make_client_folder() / NAME, one)
                self.trouble = ""
            except (OSError, RunError) as error:
                self.trouble = f"the audit log could not be written: {error}"
            finally:
                self._entries.task_done()


def _named(args: Mapping[str, Any]) -> Mapping[str, Any]:
    """Enough to find the entry that says the rest."""
    spec = args.get("spec")
    run_id = spec.get("run_id", "") if isinstance(spec, Mapping) else ""
    kept = {key: args[key] for key in ("start_id", "req_id", "run_id", "pid") if key in args}
    return {"run_id": run_id, **kept} if run_id else kept


AUDIT_WRITER = AuditWriter()
