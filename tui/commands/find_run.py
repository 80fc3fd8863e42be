"""Which run of a host is meant: a whole id, else a name, else the beginning of either; the host decides."""

import unicodedata
from collections.abc import Sequence

from remote.hosts.lookup import find_host, load_hosts
from remote.protocol.arguments import FindArgs
from remote.protocol.errors import CallError
from remote.protocol.sanitise import clean_line
from remote.protocol.verbs import FIND
from remote.protocol.views import RunView
from remote.session.last_seen import last_seen
from remote.session.session import Session
from tui.commands.listed_runs import PATIENCE_S, list_runs
from tui.commands.watched import demand_not_watched

SHOWN = 8
NAME_MAX = 4096


def find_view(session: Session, name: str) -> RunView:
    """The run that is meant. Several of one name, or of one beginning, are never chosen among.

    Raises:
        CallError: there is none, or more than one.
    """
    if not name:
        raise CallError("bad_request", "the run's name is empty", "photinus ls lists them")
    hello = session.hello
    if hello is not None and hello.has_pages:
        answer = session.call(FIND, FindArgs(name=name[:NAME_MAX]), timeout=PATIENCE_S)
        by, found, count = answer.by, answer.runs, answer.count
    else:
        by, found = fitting(list_runs(session).views, name)
        count = len(found)
    if not found:
        demand_not_watched(session, name)
        raise _unknown(session.host.name, name)
    if count > 1:
        one_of = ", ".join(f"{view.run_id} ({view.state})" for view in found[:SHOWN])
        raise CallError("bad_request", f"{name!r} is the {by} of {count} runs", f"one of: {one_of}")
    return found[0]


def fitting(views: Sequence[RunView], name: str) -> tuple[str, list[RunView]]:
    """How these runs are meant, and which: where the host's Photinus cannot say it."""
    if ids := [view for view in views if view.run_id == name]:
        return "id", ids
    plain = unicodedata.normalize("NFC", clean_line(name))
    if named := [view for view in views if unicodedata.normalize("NFC", view.name) == plain]:
        return "name", named
    begun = [
        view
        for view in views
        if view.run_id.startswith(plain) or unicodedata.normalize("NFC", view.name).startswith(plain)
    ]
    return "beginning", begun


def _unknown(host: str, name: str) -> CallError:
    likely = elsewhere(name, host)
    remedy = f"did you mean {' or '.join(likely[:4])}? " if likely else ""
    if (place := max(name.rfind(":"), name.rfind("/"))) > 0:
        try:
            find_host(name[:place])
        except CallError as error:  # perhaps a host was meant
            remedy = f"{remedy}{error.message} either: {error.remedy}; "
    return CallError("not_found", f"no run on {host} is called {name!r}", f"{remedy}photinus ls lists them")


def elsewhere(name: str, asked: str) -> list[str]:
    """`HOST:RUN` of runs of other hosts that begin so and were not over when last heard of."""
    seen = [last_seen(host.name) for host in load_hosts() if host.name != asked]
    return [
        f"{one.name}:{run}" for one in seen if one is not None for run in one.live if run.startswith(name)
    ]
