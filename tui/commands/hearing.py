"""What a command hears of runs: one look through the same store that the cockpit draws from."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from remote.actions import settle_intents
from remote.errors import CallError
from remote.hosts import find_host, load_hosts
from remote.session import Session
from remote.sightings import last_seen, note
from remote.updates import Bytes, RunsSeen, StreamEnd
from remote.view import RunView
from tui.commands.asking import reach
from tui.commands.output import say
from tui.formats import formats_at_hand
from tui.health import health_bands
from tui.store.runs import RunRecord
from tui.store.store import Store
from tui.store.streams import Formats

POLL_S = 0.005
LAST_EVENTS = 1 << 18
LAST_FOR_A_ROW = 1 << 15
DEEPEST = 1 << 22  # how far back a row of a command is looked for, whose log may say much else
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


def list_views(session: Session) -> list[RunView]:
    """Every run of the host, newest first."""
    return [RunView.from_json(row) for row in session.call("runs")["runs"]]


def find_view(session: Session, name: str) -> RunView:
    """The run of that id, or of that beginning of one.

    Raises:
        CallError: there is none, or more than one.
    """
    if not name:
        raise CallError("bad_request", "the run's name is empty", "photinus ls lists them")
    views = list_views(session)
    found = [view for view in views if view.run_id == name] or [
        view for view in views if view.run_id.startswith(name)
    ]
    if not found:
        likely = elsewhere(name, session.host.name)
        remedy = f"did you mean {' or '.join(likely[:4])}? " if likely else ""
        raise CallError(
            "not_found",
            f"no run on {session.host.name} is called {name!r}",
            f"{remedy}photinus ls lists them",
        )
    if len(found) > 1:
        raise CallError(
            "bad_request",
            f"{name!r} is the beginning of {len(found)} runs",
            f"one of: {', '.join(view.run_id for view in found[:8])}",
        )
    return found[0]


def elsewhere(name: str, asked: str) -> list[str]:
    """`HOST:RUN` of runs of other hosts that begin so and were not over when last heard of."""
    seen = [last_seen(host.name) for host in load_hosts() if host.name != asked]
    return [
        f"{one.name}:{run}" for one in seen if one is not None for run in one.live if run.startswith(name)
    ]


def hear(session: Session, views: Sequence[RunView], last: int = LAST_EVENTS) -> dict[str, RunRecord]:
    """Read the end of what each run said, as it is now; run id -> record.

    A command without a row in so little of its log is heard once more, from further back.

    Raises:
        CallError: the host did not send it in time.
    """
    formats, faults = formats_at_hand()
    for fault in faults:
        say(f"photinus: a format of yours is left out: {fault}")
    heard = _hear(session, views, last, formats)
    silent = [view for view in views if view.kind == "command" and heard[view.run_id].step is None]
    return heard | _hear(session, silent, DEEPEST, formats) if silent and last < DEEPEST else heard


def _hear(session: Session, views: Sequence[RunView], last: int, formats: Formats) -> dict[str, RunRecord]:
    store = Store([session.host.name], health_bands(), formats)
    now = time.monotonic
    store.apply(session.host.name, RunsSeen(tuple(views), time.time()), now(), time.time())
    open_keys = {session.follow(view.run_id, told_by(view), last=last, goes_on=False) for view in views}
    deadline = now() + PATIENCE_S
    while open_keys:
        for update in session.drain():
            if isinstance(update, Bytes | StreamEnd):
                store.apply(session.host.name, update, now(), time.time())
            if isinstance(update, StreamEnd):
                open_keys.discard(update.key)
        if now() > deadline:
            raise CallError("timeout", f"{session.host.name} did not send what its runs said", "try again")
        if open_keys:
            time.sleep(POLL_S)
    return {run.run_id: run for run in store.runs.values()}


def told_by(view: RunView) -> str:
    """Where a run's metrics stand: our trainer writes events, a command only its log."""
    return "events" if view.kind == "trainer" else "log"
