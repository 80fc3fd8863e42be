"""Asking a host for a run's configuration, once an attempt, for whichever screen wants it."""

from collections.abc import Callable

from remote.protocol.errors import CallError
from remote.protocol.views import RunDetails
from tui.screens.bridge import Bridge
from tui.store.compare.config_sheet import ConfigSheet
from tui.store.compare.config_values import config_values
from tui.store.facts import why_not
from tui.store.runs import RunRecord


def sheet_of(bridge: Bridge, run: RunRecord, heard: Callable[[], None]) -> ConfigSheet:
    """What is known of a run's configuration; its host is asked where it was not. `heard`: it answered."""
    key, attempt, sheets = (run.host, run.run_id), run.view.attempt, bridge.sheets
    known = sheets.of(key, attempt)
    if run.view.is_watched or run.view.kind == "watched":
        return ConfigSheet(attempt, trouble="its files are only watched: nobody here started it")
    if not sheets.is_wanted(key, attempt, bridge.now()):
        return known
    if away := why_not(bridge.store.host_of(run)):
        return known if known.values is not None else ConfigSheet(attempt, trouble=away)
    sheets.ask(key, attempt, bridge.now())

    def told(answer: RunDetails | CallError) -> None:
        if isinstance(answer, CallError):
            sheets.take(key, None, answer.message)
        else:
            sheets.take(key, config_values(answer))
        heard()

    bridge.acts.details(run.host, run.run_id, told)
    return sheets.of(key, attempt)
