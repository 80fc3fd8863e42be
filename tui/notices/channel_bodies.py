"""What each kind of channel is sent: pure functions of a notice."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.header import Header

from tui.notices.notice import Notice
from tui.notices.notice_channel import NoticeChannel

KEY_HEADER = "Idempotency-Key"
DISCORD_MAX, SLACK_MAX = 1900, 8000  # characters
NTFY_MAX = 3900  # bytes: of more than 4 KiB ntfy makes a file
MARKS = {"information": "·", "warning": "!", "error": "✖"}
_PRIORITY = {"information": "3", "warning": "4", "error": "5"}
_TAG = {"information": "information_source", "warning": "warning", "error": "rotating_light"}
_SLACK = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


@dataclass(frozen=True, slots=True)
class Posting:
    """Headers and body of one POST."""

    headers: Mapping[str, str]
    body: bytes


def posting(channel: NoticeChannel, one: Notice) -> Posting:
    """What a channel over HTTP is sent. The key goes along as a header, whatever the kind."""
    headers = {KEY_HEADER: one.key, "User-Agent": "photinus", "Content-Type": "application/json"}
    if channel.token:
        headers["Authorization"] = f"Bearer {channel.token}"
    match channel.kind:
        case "slack":
            body = _json({"text": with_trace(one, SLACK_MAX).translate(_SLACK)})
        case "discord":
            body = _json({"content": with_trace(one, DISCORD_MAX), "allowed_mentions": {"parse": []}})
        case "ntfy":
            headers |= {
                "Content-Type": "text/plain; charset=utf-8",
                "Title": _header(f"Photinus: {one.run or one.host}"),
                "Priority": _PRIORITY[one.level],
                "Tags": _TAG[one.level],
            }
            body = said(one).encode()
            if room := max(NTFY_MAX - len(body), 0) * bool(one.trace):
                body += b"\n\n" + one.trace.encode()[-room:].decode("utf-8", "ignore").encode()
        case _:
            body = notice_json(one)
    return Posting(headers, body)


def notice_json(one: Notice) -> bytes:
    """A notice as a webhook and a command get it."""
    return _json({"source": "photinus", **one.to_json()})


def said(one: Notice) -> str:
    """A notice in a line: how grave, what, and of which run on which host."""
    where = f"{one.run} on {one.host}" if one.run else one.host
    return f"{MARKS[one.level]} {one.text} ({where})"


def with_trace(one: Notice, most: int) -> str:
    """The line, and the end of the log below it as it stands: its newest part, where not all fits."""
    line = said(one)[:most]
    room = most - len(line) - 8
    if not one.trace or room < 40:
        return line
    return f"{line}\n```\n{one.trace.replace('`', chr(39))[-room:]}\n```"


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")


def _header(text: str) -> str:
    """A text as a header may hold it: other letters than ASCII's in the words of RFC 2047."""
    return text if text.isascii() else Header(text, "utf-8", maxlinelen=10_000).encode()
