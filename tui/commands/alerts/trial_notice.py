"""`alerts test`: one notice to every channel, and what came of it."""

import argparse
import os
import time
from typing import Any

from tui.commands.output import FAILURE, OK, answer
from tui.notices.notice import notice
from tui.notices.notice_sender import deliver
from tui.notices.notices_file import read_channels


def try_channels(args: argparse.Namespace) -> int:
    """Send it now, whatever the hours and the level; exit code 1 where a channel did not take it."""
    settings = read_channels()
    text = "this is a test of `photinus alerts`: alerts of your runs come this way"
    one = notice("local", "", "", "test", os.urandom(8).hex(), "information", text, time.time())
    rows: list[dict[str, Any]] = []
    for channel in settings.channels:
        trial = deliver(channel, one)
        rows.append({"channel": channel.name, "kind": channel.kind, "ok": trial.ok, "said": trial.said})
    answer(rows, args.json, lambda _: "\n".join(map(_row, rows)))
    return OK if all(row["ok"] for row in rows) else FAILURE


def _row(row: dict[str, Any]) -> str:
    return f"{row['channel']} ({row['kind']}): {'sent' if row['ok'] else 'not sent'}: {row['said']}"
