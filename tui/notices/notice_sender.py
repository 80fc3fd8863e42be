"""Sends what the journal has: each try on a thread of its own, so that nothing waits for a slow server."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from tui.notices.back_off import AFTER_MAX_S, is_hopeless, pause_s
from tui.notices.delivery import Delivery, Trial
from tui.notices.notice import Notice
from tui.notices.notice_channel import NoticeChannel
from tui.notices.notice_journal import NoticeJournal
from tui.notices.notices_file import NoticeSettings

AT_ONCE = 4  # tries of one channel
COMMAND_TRIES = 5

Deliver = Callable[[NoticeChannel, Notice], Trial]


@dataclass(frozen=True, slots=True)
class SendReport:
    """What came of one try."""

    notice: Notice
    channel: str
    delivery: Delivery


def deliver(channel: NoticeChannel, one: Notice) -> Trial:
    """Send one notice to one channel now. Blocks for as long as that takes, which is bounded."""
    if channel.kind == "command":
        from tui.notices.local_command import call_command

        return call_command(channel.command, one)
    from tui.notices.channel_bodies import posting
    from tui.notices.http_post import post

    return post(channel.url, posting(channel, one))


class NoticeSender:
    """Everything but the tries happens in `pump`, on the thread of its caller."""

    def __init__(
        self, settings: NoticeSettings, journal: NoticeJournal, send: Deliver = deliver, most: int = AT_ONCE
    ) -> None:
        self._journal = journal
        self._send, self._most = send, most
        self._on_way: set[tuple[str, str]] = set()
        self._came: deque[tuple[str, str, Trial]] = deque()
        self._free_at: dict[str, float] = {}  # channel -> until when it wants to be left alone
        self.take(settings)

    def take(self, settings: NoticeSettings) -> None:
        """Send by these settings from here on; what waits for a channel that is gone is given up."""
        self._channels = {one.name: one for one in settings.channels}
        self._quiet = settings.quiet
        self._journal.give_up_strangers(settings.channels)

    @property
    def is_busy(self) -> bool:
        """Whether tries are on their way, or have come back and were not looked at."""
        return bool(self._on_way)

    def add(self, found: Iterable[Notice]) -> list[Notice]:
        """Take notices, each once and for good; those that were new."""
        new = [one for one in found if self._journal.add(one, self._channels.values())]
        self._journal.save()
        return new

    def pump(self, wall: float, *, begin: bool = True) -> list[SendReport]:
        """Note what tries brought, and begin those that are due at `wall` (epoch seconds).

        Raises:
            OSError: the journal could not be written; nothing was begun then.
        """
        noted = [self._note(*self._came.popleft(), wall) for _ in range(len(self._came))]
        reports = [one for one in noted if one is not None]
        due = list(self._due(wall)) if begin else []
        self._journal.save()
        for one, channel in due:
            self._on_way.add((one.key, channel.name))
            work = threading.Thread(
                target=self._try, args=(channel, one), name="photinus-notice", daemon=True
            )
            work.start()
        return reports

    def finish(self, within_s: float) -> list[SendReport]:
        """Begin nothing more, and wait for what is on its way: what arrived is not sent again."""
        reports, until = [], time.monotonic() + within_s
        while self.is_busy and time.monotonic() < until:
            reports += self.pump(time.time(), begin=False)
            time.sleep(0.02)
        return reports + self.pump(time.time(), begin=False)

    def _try(self, channel: NoticeChannel, one: Notice) -> None:
        try:
            trial = self._send(channel, one)
        except Exception as error:  # a fault of ours in one try ends no watch
            trial = Trial(False, f"could not be sent ({type(error).__name__})")
        self._came.append((one.key, channel.name, trial))

    def _due(self, wall: float) -> Iterable[tuple[Notice, NoticeChannel]]:
        local = datetime.fromtimestamp(wall)
        now_on_way = Counter(name for _, name in self._on_way)
        for entry, name, delivery in list(self._journal.waiting()):
            one, channel = entry.notice, self._channels[name]
            free_at = max(delivery.due, self._free_at.get(name, 0.0))
            is_later = wall < free_at <= wall + AFTER_MAX_S  # further off: the clock was set back
            is_full = now_on_way[name] >= self._most or (one.key, name) in self._on_way
            if is_later or is_full or self._quiet.holds(one.level, local):
                continue
            begun = replace(delivery, tries=delivery.tries + 1, first=delivery.first or wall)
            self._journal.put(one.key, name, begun)
            now_on_way[name] += 1
            yield one, channel

    def _note(self, key: str, name: str, trial: Trial, wall: float) -> SendReport | None:
        self._on_way.discard((key, name))
        entry = self._journal.entries.get(key)
        if entry is None:
            return None  # more came meanwhile than is kept
        before = entry.deliveries[name]
        if trial.ok:
            after = replace(before, progress="sent", said=trial.said, due=0.0)
        elif not trial.again or self._is_hopeless(name, before, wall):
            after = replace(before, progress="given_up", said=trial.said)
        else:
            due = wall + pause_s(before.tries, trial.after_s)
            after = replace(before, due=due, said=trial.said)
            if trial.after_s is not None:
                self._free_at[name] = max(due, self._free_at.get(name, 0.0))
        self._journal.put(key, name, after)
        return SendReport(entry.notice, name, after)

    def _is_hopeless(self, name: str, before: Delivery, wall: float) -> bool:
        channel = self._channels.get(name)
        if channel is None or (channel.kind == "command" and before.tries >= COMMAND_TRIES):
            return True
        return is_hopeless(before.tries, wall - before.first)
