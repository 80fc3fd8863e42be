"""The command palette, and the last words of the cockpit."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from textual.app import App, SystemCommand

from tui.keys import Key, keys_of
from tui.screens.base import CockpitScreen
from tui.screens.run_actions import RunActions, preset_names
from tui.store.store import Store

RUNS_MAX = 300


def commands(app: App[Any], screen: CockpitScreen) -> Iterator[SystemCommand]:
    """Every key of a screen by name, with the reason where it cannot act now."""
    for key in keys_of(screen.where):
        if key.action != "palette":
            reason = screen.why_not(key.action)
            text = f"{key.text} ({key.shown})" if not reason else f"not now: {reason}"
            yield SystemCommand(_named(key), text, _runner(app, screen, key.action))


def places(screen: CockpitScreen) -> Iterator[SystemCommand]:
    """Every run, host and preset by name: what is looked for is opened."""
    bridge = screen.bridge
    runs = bridge.store.runs
    for key in sorted(runs, key=lambda key: (not runs[key].view.is_live, -runs[key].view.since))[:RUNS_MAX]:
        run = runs[key]
        text = f"opens {run.run_id} on {run.host}: {run.view.state}"
        yield SystemCommand(f"run: {run.name}", text, partial(bridge.open_run, key))
    for name in bridge.store.hosts:
        yield SystemCommand(f"host: {name}", f"{name} among the hosts", partial(bridge.open_host, name))
    if isinstance(screen, RunActions) and not screen.why_not("start"):
        for name in preset_names():
            text = f"the start form with {name} in it"
            yield SystemCommand(f"start: {name}", text, partial(screen.start_with, name))


def _named(key: Key) -> str:
    """A palette entry begins with the footer's word and says enough to be told apart."""
    return f"{key.label}: {key.text.split(':')[0]}"


def _runner(app: App[Any], screen: CockpitScreen, action: str) -> Callable[[], None]:
    def run() -> None:
        app.run_worker(app.run_action(action, screen), exit_on_error=True)

    return run


def last_words(store: Store) -> str:
    """What the command prints last: which runs go on, and how to come back."""
    live = [run for run in store.runs.values() if run.view.is_live]
    if not live:
        unheard = [host.name for host in store.hosts.values() if not host.runs_seen]
        if unheard:
            return f"No run is going on as far as was heard; {', '.join(unheard[:3])} had not answered yet."
        return "No run is going on. `photinus` opens the cockpit again."
    names = ", ".join(f"{run.run_id} on {run.host}" for run in live[:3])
    more = f" and {len(live) - 3} more" if len(live) > 3 else ""
    verb = "goes" if len(live) == 1 else "go"
    return f"{names}{more} {verb} on without the cockpit. `photinus` brings you back."
