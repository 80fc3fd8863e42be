"""Every host as the cockpit has it, without a screen: updates in, notices out."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from remote.hosts.host import Host
from remote.protocol.arguments import RunArgs
from remote.protocol.errors import CallError
from remote.protocol.verbs import RUN, A, R, Verb
from remote.session.last_seen import last_seen
from remote.session.updates import RunsSeen, Update
from tui.commands.alerts.followed_runs import FollowedRuns, FollowsRuns
from tui.commands.alerts.held_links import HeldLinks
from tui.commands.alerts.past_endings import endings_to_tell
from tui.notices.notice import Notice, key_of, notice, traced
from tui.notices.notice_journal import NoticeJournal
from tui.store import alerts
from tui.store.alerts import Alert
from tui.store.store import RunKey, Store
from tui.store.words import duration

BATCH = 2000
STANDING_S = 120.0  # what a host tells so soon after it was heard first, it may have gone on with
STANDING_MAX_S = 24 * 3600.0
LATE_S = 600.0
LOOK_S = 30.0
BACKLOG_MAX = 200
TRACE_S = 3.0


class WatchedSession(FollowsRuns, Protocol):
    """What is needed of a session."""

    @property
    def host(self) -> Host:
        """Whose it is."""
        ...

    def drain(self, limit: int = ...) -> list[Update]:
        """Take the oldest updates."""
        ...

    def call(self, verb: Verb[A, R], args: A, timeout: float = ...) -> R:
        """Ask and wait for the answer."""
        ...


class WatchedHosts:
    """Hears every session; `tick` answers with what is worth telling, each with its key."""

    def __init__(self, store: Store, journal: NoticeJournal) -> None:
        self.store = store
        self._journal = journal
        self._follows = FollowedRuns()
        self._links = HeldLinks()
        self._first_heard: dict[str, float] = {}
        self._known: set[RunKey] = set()
        self._looked_at: dict[str, float] = {}
        self._backlog: dict[RunKey, list[Alert]] = {}
        self.faults: list[str] = []

    def tick(self, sessions: Mapping[str, WatchedSession], now: float, wall: float) -> list[Notice]:
        """Hear every session; `now`: monotonic seconds, `wall`: epoch seconds."""
        listed: set[str] = set()
        for name, session in sessions.items():
            for update in session.drain(BATCH):
                self._hear(name, update, now, wall)
                listed |= {name} if isinstance(update, RunsSeen) else set()
        self._follows.sync(sessions, self.store, now, wall)
        found = [*self._fresh(now, wall), *self._caught_up(now, wall)]
        for name in self.store.hosts:
            found += self._endings(name, now, wall, listed=name in listed)
        return [self._traced(one, sessions) for one in found]

    def _traced(self, one: Notice, sessions: Mapping[str, WatchedSession]) -> Notice:
        """Of a run that failed, with the end of its log; without, where its host does not say it at once."""
        if one.rule != "ended" or one.level != "error" or self._journal.knows(one.key):
            return one
        try:
            details = sessions[one.host].call(RUN, RunArgs(run_id=one.run), TRACE_S)
        except (KeyError, CallError):
            return one
        return traced(one, details.log_end)

    def forget(self, name: str) -> None:
        """Know a host no longer, or anew."""
        self.store.forget_host(name)
        self._first_heard.pop(name, None)
        self._looked_at.pop(name, None)
        self._known = {key for key in self._known if key[0] != name}

    def _hear(self, name: str, update: Update, now: float, wall: float) -> None:
        try:
            self._follows.hear(name, update, now)
            self.store.apply(name, update, now, wall)
        except Exception as error:  # one update that we cannot take ends no watch
            self.faults = [
                *self.faults[-20:],
                f"{name}: something it said could not be taken: {error!r}"[:300],
            ]
        if self.store.hosts[name].received_at is not None:
            self._first_heard.setdefault(name, now)

    def _fresh(self, now: float, wall: float) -> Iterator[Notice]:
        for alert in self.store.take_news(now):
            key = (alert.host, alert.run_id)
            if alert.rule in ("lost", "back"):
                if self._links.take(alert):
                    yield self._notice(alert, f"{alert.rule} {wall:.0f}", now, wall)
            elif alert.run_id and alert.occasion and alert.rule != "ended" and self._follows.is_behind(key):
                if not self._journal.knows(self._key(alert, alert.occasion)):
                    self._backlog.setdefault(key, []).append(alert)
                    del self._backlog[key][:-BACKLOG_MAX]
            elif alert.occasion:
                yield self._notice(alert, alert.occasion, now, wall)
            else:
                yield self._notice(alert, self._standing(alert, now, wall), now, wall)
        for alert in self._links.due(now):
            yield self._notice(alert, f"lost {wall - (now - alert.at):.0f}", now, wall)

    def _caught_up(self, now: float, wall: float) -> Iterator[Notice]:
        """What a file had said before it was followed: of each rule the newest, and how many there were."""
        for key in [key for key in self._backlog if not self._follows.is_behind(key)]:
            by_rule: dict[str, list[Alert]] = {}
            for alert in self._backlog.pop(key):
                by_rule.setdefault(alert.rule, []).append(alert)
            for those in by_rule.values():
                for alert in those[:-1]:
                    self._journal.pass_over(self._key(alert, alert.occasion))
                more = f" (the newest of {len(those)})" if len(those) > 1 else ""
                yield self._notice(those[-1], those[-1].occasion, now, wall, more)

    def _endings(self, name: str, now: float, wall: float, *, listed: bool) -> Iterable[Notice]:
        """Ends of runs that were over when they were first heard of."""
        record = self.store.hosts[name]
        if not record.runs_seen or record.hello is None or not record.link.is_up:
            return []
        host_id, ahead = record.hello.host_id, record.wall_ahead or 0.0
        new = [run for key, run in self.store.runs.items() if key[0] == name and key not in self._known]
        self._known |= {(name, run.run_id) for run in new}
        looked = self._journal.looked.get(host_id)
        due = now - self._looked_at.get(name, -LOOK_S) >= LOOK_S
        if listed or new or due:
            self._looked_at[name] = now
            self._journal.look(host_id, wall)
        found = []
        host_looked = None if looked is None else looked + ahead
        for view in endings_to_tell((run.view for run in new), host_looked, wall + ahead):
            alert = alerts.of_state(name, view, self.store.runs[name, view.run_id].name, now)
            if alert is not None:
                ended = min(view.since - ahead, wall)
                late = f", {duration(wall - ended)} ago" if wall - ended > LATE_S else ""
                found.append(self._notice(alert, alert.occasion, now, ended, late))
        return found

    def _standing(self, alert: Alert, now: float, wall: float) -> str:
        """The occasion of what a host may go on with over a restart of the watch: then it is the same one."""
        host_id = self._host_id(alert.host)
        before, at = self._journal.standing.get((host_id, alert.rule), ("", 0.0))
        is_early = now - self._first_heard.get(alert.host, now) < STANDING_S
        if before and is_early and wall - at < STANDING_MAX_S:
            return before
        occasion = f"{alert.rule} {wall:.0f}"
        self._journal.stand(host_id, alert.rule, occasion, wall)
        return occasion

    def _notice(self, alert: Alert, occasion: str, now: float, wall: float, more: str = "") -> Notice:
        at = wall - max(now - alert.at, 0.0)
        host_id, text = self._host_id(alert.host), f"{alert.text}{more}"
        rule = alert.rule or "left_out"
        return notice(alert.host, host_id, alert.run_id, rule, occasion, alert.level, text, at)

    def _key(self, alert: Alert, occasion: str) -> str:
        return key_of(self._host_id(alert.host), alert.run_id, alert.rule, occasion)

    def _host_id(self, name: str) -> str:
        hello = self.store.hosts[name].hello
        if hello is not None:
            return hello.host_id
        seen = last_seen(name)
        return seen.host_id if seen is not None else name
