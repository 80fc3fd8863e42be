"""What a command hears of runs: one look through the same store that the cockpit draws from."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from remote.actions import settle_intents
from remote.hosts.lookup import find_host
from remote.protocol.arguments import PingArgs
from remote.protocol.errors import CallError
from remote.protocol.verbs import PING
from remote.protocol.views import RunView
from remote.session.last_seen import note
from remote.session.session import Session
from remote.session.updates import Bytes, RunsSeen, StreamBegin, StreamEnd
from tui.commands.output import say
from tui.commands.prompts import reach
from tui.health import health_bands
from tui.own_formats import formats_at_hand
from tui.store.run_streams import Formats
from tui.store.runs import RunRecord
from tui.store.store import Store

POLL_S = 0.005
LAST_EVENTS = 1 << 18
LAST_FOR_A_ROW = 1 << 15
STREAMS = 48
DEEPEST = 1 << 22  # how far back a row of a command is looked for, whose log may say much else
FURTHER = 8  # times as far back its planned steps are, which many a trainer says once, before its rows
PATIENCE_S = 15.0


@contextmanager
def link_to(name: str) -> Iterator[Session]:
    """A session with the host of that name, closed afterwards.

    Raises:
        CallError: there is no such host, it cannot be reached, or asks what nobody is there to answer.
        ConfigError: hosts.yaml is at fault.
    """
    session = reach(find_host(name))
    try:
        settle_intents(session)
        yield session
    finally:
        note(session)
        session.close()


def hear(session: Session, views: Sequence[RunView], last: int = LAST_EVENTS) -> dict[str, RunRecord]:
    """Read the end of what each run said, as it is now; run id -> record.

    A command without a row in so little of its log is heard once more, from further back; so is one that is
    over and told no planned steps.

    Raises:
        CallError: the host did not send it in time.
    """
    formats, faults = formats_at_hand()
    for fault in faults:
        say(f"photinus: a format of yours is left out: {fault}")
    records, cut = _hear_all(session, views, last, formats)
    silent = [view for view in cut if records[view.run_id].step is None]
    vague = [
        view for view in cut if view.is_terminal and view not in silent and not records[view.run_id].max_steps
    ]
    for again, depth in ((silent, DEEPEST), (vague, min(last * FURTHER, DEEPEST))):
        if again and last < depth:
            records |= _hear_all(session, again, depth, formats)[0]
    return records


def _hear_all(
    session: Session, views: Sequence[RunView], last: int, formats: Formats
) -> tuple[dict[str, RunRecord], list[RunView]]:
    """The records, and the commands of whose logs only the end was read."""
    store = Store([session.host.name], health_bands(), formats)
    now = time.monotonic
    wall = session.call(PING, PingArgs(n=0)).wall  # what runs say is dated by the clock of their host
    store.apply(session.host.name, RunsSeen(tuple(views), wall), now(), time.time())
    cut: set[str] = set()
    for batch in _batches(views):
        cut |= _hear(session, store, batch, last)
    records = {run.run_id: run for run in store.runs.values()}
    return records, [view for view in views if view.kind == "command" and view.run_id in cut]


def _batches(views: Sequence[RunView]) -> Iterator[Sequence[RunView]]:
    return (views[first : first + STREAMS] for first in range(0, len(views), STREAMS))


def _hear(session: Session, store: Store, views: Sequence[RunView], last: int) -> set[str]:
    """Read the ends of a few runs at once: a host follows no more than 64 files for one client.

    Returns the runs that said more than was read.
    """
    now, cut = time.monotonic, set[str]()
    open_keys = {
        session.follow(view.run_id, metrics_stream(view), last=last, goes_on=False) for view in views
    }
    deadline = now() + PATIENCE_S
    while open_keys:
        for update in session.drain():
            if isinstance(update, Bytes | StreamEnd):
                store.apply(session.host.name, update, now(), time.time())
            if isinstance(update, StreamBegin) and update.before:
                cut.add(update.run_id)
            if isinstance(update, StreamEnd):
                open_keys.discard(update.key)
        if now() > deadline:
            raise CallError("timeout", f"{session.host.name} did not send what its runs said", "try again")
        if open_keys:
            time.sleep(POLL_S)
    return cut


def metrics_stream(view: RunView) -> str:
    """Where a run's metrics stand: our trainer writes events, a command only its log."""
    return "events" if view.kind == "trainer" else "log"
