"""`ls` and `show`: what runs there are, and how one of them does."""

import argparse
import sys

from tui.commands.hearing import LAST_FOR_A_ROW, find_view, hear, link_to, list_views
from tui.commands.output import OK, answer, emit, say, tell
from tui.commands.summary import brief, brief_words, full, full_words
from tui.health import health_bands


def list_runs(args: argparse.Namespace) -> int:
    """Every run of the host, newest first."""
    with link_to(args.host) as session:
        views = list_views(session)
        heard = hear(session, views, LAST_FOR_A_ROW)
    rows = [brief(args.host, heard[view.run_id]) for view in views]
    if args.json:
        emit(rows)
    elif not rows:
        say(f"no runs on {args.host} yet: `photinus demo` starts one, or `photinus start --preset NAME`")
    else:
        for row in rows:
            tell(brief_words(row))
    sys.stdout.flush()
    return OK


def show(args: argparse.Namespace) -> int:
    """One run in full."""
    with link_to(args.host) as session:
        view = find_view(session, args.run)
        run = hear(session, [view])[view.run_id]
    answer(full(args.host, run, health_bands()), args.json, full_words)
    return OK
