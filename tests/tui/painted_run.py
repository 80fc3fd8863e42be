"""A program for a pseudo-terminal: the cockpit on a run that stands still, with its zones and floors."""

import sys

from tests.tui.fake import FakeSession, cockpit, events, view

session = FakeSession()
session.connect(view())
app = cockpit(session, focus="demo-aaaaaa")
told = False
if "unsuited" in sys.argv:  # the cockpit of before: what it paints is rounded
    app.suit = lambda console: None  # type: ignore[method-assign]


def turn() -> None:
    """Once the run is open, tell its history; then paint."""
    global told
    app.tick()
    live = {session.followed[key][1] for key in session.followed}
    if not told and "events" in live:
        told = True
        session.send("demo-aaaaaa", "events", events(range(0, 400, 5)))


app.call_later(lambda: app.set_interval(0.1, turn))
app.run()
