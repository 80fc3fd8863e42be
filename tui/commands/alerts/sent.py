"""`alerts list`: what was sent outward, of which run on which host, when and to whom."""

import argparse
import time
from typing import Any

from tui.commands.alerts.watch import is_watching
from tui.commands.output import OK, answer, say
from tui.notices.channel_bodies import MARKS
from tui.notices.notice_journal import JournalEntry, NoticeJournal

WORDS = {"sent": "sent", "waiting": "on its way", "given_up": "given up"}


def list_sent(args: argparse.Namespace) -> int:
    """The newest last; says on stderr whether anybody watches now."""
    journal = NoticeJournal()
    if journal.trouble:
        say(f"photinus: {journal.trouble}")
    entries = list(journal.entries.values())[-args.last :] if args.last > 0 else []
    rows = [
        {**entry.notice.to_json(), "to": {name: one.to_json() for name, one in entry.deliveries.items()}}
        for entry in entries
    ]
    answer(rows, args.json, lambda _: "\n".join(map(_row, entries)) or "nothing was sent so far")
    if not is_watching():
        say("nobody watches now: `photinus alerts watch` does, `photinus alerts autostart` at every login")
    return OK


def _row(entry: JournalEntry) -> str:
    one: Any = entry.notice
    at = time.strftime("%d %b %H:%M:%S", time.localtime(one.at))
    ways = ", ".join(
        f"{name} {WORDS[way.progress]}" + (f" ({way.said})" if way.said and way.progress != "sent" else "")
        for name, way in entry.deliveries.items()
    )
    where = f"{one.run} on {one.host}" if one.run else one.host
    return f"{at}  {MARKS[one.level]} {one.text}  [{where}]  {ways or 'wanted by no channel'}"
