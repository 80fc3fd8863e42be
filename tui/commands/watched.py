"""What `watch:` of a host names, as commands see it: runs that nobody started here."""

import shlex

from remote.protocol.arguments import FilesArgs
from remote.protocol.errors import CallError
from remote.protocol.verbs import FILES
from remote.protocol.views import RunView
from remote.session.session import Session
from remote.session.watching.training_files import COUNTED
from remote.session.watching.watched_runs import OLDER_AGENT, WatchedRuns
from tui.commands.output import say

PATIENCE_S = 20.0


def watched_views(session: Session) -> list[RunView]:
    """Files that this host's `watch:` names, as runs; none where it names none, or cannot look for them."""
    patterns = session.host.watch
    if not patterns:
        return []
    try:
        answer = session.call(FILES, FilesArgs(patterns=list(patterns), inside=list(COUNTED)), PATIENCE_S)
    except CallError as error:
        why = OLDER_AGENT if error.code == "unknown_verb" else error.message
        say(f"{session.host.name}: what is watched is not known: {why}")
        return []
    watched = WatchedRuns(session, patterns, lambda _args, _answered: None, lambda: 0.0)
    watched.take(answer)
    return watched.views


def demand_not_watched(session: Session, name: str) -> None:
    """Files that are watched are no runs that a command could act on.

    Raises:
        CallError: `refused`: they are meant.
    """
    meant = next((view for view in watched_views(session) if name in (view.run_id, view.dir)), None)
    if meant is None:
        return
    host = session.host
    place = shlex.quote(meant.dir if host.is_local else f"{host.name}:{meant.dir}")
    raise CallError(
        "refused",
        f"{name} is only watched: Photinus did not start it, and never stops, kills or resumes it",
        f"`photinus open {place}` shows it; `photinus processes --host {host.name}` lists what writes it, "
        "and `photinus end PID` ends a process of yours",
    )
