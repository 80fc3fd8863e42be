"""The agent's loop: one thread, one client, nothing that blocks for long."""

import os
import selectors
import time

from remote.agent.context import Context
from remote.agent.dispatcher import Dispatcher
from remote.agent.kept.gone import clear_going
from remote.agent.outbox import Outbox
from remote.agent.run_index import Steps
from remote.agent.starts.contact import reconcile_all
from remote.agent.starts.restart import Restarts
from remote.agent.streams.run_watch import Watch
from remote.agent.streams.streams import POLL_S, ClientStreams
from remote.agent.trees.old_drafts import clear_old_drafts
from remote.protocol.errors import CallError, ProtocolError
from remote.protocol.framing import LineBuffer
from remote.protocol.messages import encode, encode_error
from trainer.run.home import Home

CONTACT_S = 2.0
SCAN_S = 1.0
POLITE_S = 0.3  # after hello a client asks for what it wants: that look serves us, too
DONE = object()
READ_SIZE = 1 << 16
OUTBOX_MAX = 4 << 20


class Service:
    """Serves until stdin ends, stdout breaks, or no ping came for `idle_exit_s` seconds."""

    def __init__(self, home: Home, *, stdin: int = 0, stdout: int = 1, idle_exit_s: float) -> None:
        self._ctx = Context.of(home)
        self._streaming = ClientStreams(self._ctx)
        self._dispatcher = Dispatcher(self._ctx, self._streaming)
        self._watch = Watch(home, self._ctx.index, self._ctx.views)
        self._restarts = Restarts(self._ctx)
        self._ear, self._outbox = LineBuffer(), Outbox(stdout)
        self._stdin, self._stdout = stdin, stdout
        self._idle_exit_s = idle_exit_s
        self._last_ping = time.monotonic()
        self._next_contact = self._next_scan = 0.0
        self._is_tidied = False
        self._scan: Steps | None = None
        self._scan_s = 0.0
        self._selector = selectors.DefaultSelector()
        self._is_open = True

    def serve(self) -> int:
        """Serve to the end; the exit code."""
        os.set_blocking(self._stdin, False)
        os.set_blocking(self._stdout, False)
        self._selector.register(self._stdin, selectors.EVENT_READ)
        try:
            while self._is_open and time.monotonic() - self._last_ping < self._idle_exit_s:
                self._turn()
        except BrokenPipeError:
            return 0  # the client is gone: nobody is left to be told
        finally:
            self._ctx.index.close()
        return 0

    def _turn(self) -> None:
        self._await_write(self._outbox.size > 0)
        for key, _ in self._selector.select(self._pause()):
            if key.fd == self._stdin:
                self._listen()
        for answer in self._dispatcher.step():
            self._outbox.put(answer)
        self._outbox.flush()  # what was asked never waits for what we look at unasked
        if self._dispatcher.is_met:
            self._look_around()
        self._outbox.flush()

    def _pause(self) -> float:
        if self._scan is not None and not self._dispatcher.is_working:
            return 0.0
        if self._dispatcher.is_working or (len(self._streaming) and self._outbox.size < OUTBOX_MAX):
            return POLL_S
        if not self._dispatcher.is_met:
            return 1.0
        due = min(self._watch.next_due(), self._scan_due(), self._last_ping + self._idle_exit_s)
        if self._ctx.index.is_whole:
            due = min(due, self._next_contact)
        return max(0.0, due - time.monotonic())

    def _await_write(self, wanted: bool) -> None:
        registered = self._stdout in self._selector.get_map()
        if wanted and not registered:
            self._selector.register(self._stdout, selectors.EVENT_WRITE)
        elif registered and not wanted:
            self._selector.unregister(self._stdout)

    def _listen(self) -> None:
        data = os.read(self._stdin, READ_SIZE)
        if not data:
            self._is_open = False
            return
        try:
            lines = self._ear.feed(data)
        except ProtocolError as error:
            self._outbox.put(encode_error(None, CallError("bad_request", error.message)))
            self._is_open = False  # where the next line begins cannot be known
            return
        for line in lines:
            verb, answer = self._dispatcher.answer(line)
            if verb in ("ping", "hello"):
                self._last_ping = time.monotonic()
            if verb == "hello":
                self._next_scan = time.monotonic() + POLITE_S
            self._outbox.put(answer)

    def _look_around(self) -> None:
        """Streams, changed runs, and every 2 s whether a run lost its supervisor or the queue can move."""
        if self._outbox.size < OUTBOX_MAX:
            for chunk in self._streaming.poll():
                self._outbox.put(chunk)
        now = time.monotonic()
        self._scan_on(now)
        if now >= self._next_contact and self._ctx.index.is_whole:
            reconcile_all(self._ctx)
            if not self._is_tidied:
                self._is_tidied = True
                self._dispatcher.add(clear_going(self._ctx.home))
                self._dispatcher.add(clear_old_drafts(self._ctx.home, self._ctx.index.live))
            for work in self._restarts.due():
                self._dispatcher.add(work)
            self._next_contact = time.monotonic() + CONTACT_S
        for view in self._watch.changes(now):
            self._outbox.put(encode({"event": "state", "run": view.to_json()}))

    def _scan_due(self) -> float:
        """When to look at every folder again, unless a verb has done so meanwhile."""
        return max(self._next_scan, self._ctx.index.looked_at + SCAN_S)

    def _scan_on(self, now: float) -> None:
        """Go on looking at every folder, a slice at a time: once a second, less often where that is dear."""
        if self._scan is None:
            if now < self._scan_due():
                return
            self._scan, self._scan_s = self._ctx.index.refresh(), 0.0
        began = time.thread_time()
        is_done = next(self._scan, DONE) is DONE
        self._scan_s += time.thread_time() - began
        if is_done:
            self._scan = None
            self._next_scan = now + max(SCAN_S, 100 * self._scan_s)
