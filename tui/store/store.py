"""The store: updates of every session in, one picture out. No terminal, no thread, no clock of its own."""

from collections import Counter, deque
from collections.abc import Iterable

from remote.hosts.host import Host
from remote.protocol.views import RunView
from remote.session.run_cache import RUNS_MAX
from remote.session.updates import (
    AgentTalk,
    Bytes,
    Gap,
    HostSeen,
    LinkChanged,
    Recovered,
    RunChanged,
    RunsSeen,
    StreamBegin,
    StreamEnd,
    Telemetry,
    Truncated,
    Update,
)
from trainer.telemetry.bands import Bands
from trainer.telemetry.events import Event
from trainer.telemetry.formats.registry import FORMATS
from tui.store import alerts
from tui.store.alert_watch import AlertWatch
from tui.store.alerts import Alert
from tui.store.edge import NAMES_MAX, cleaned
from tui.store.hosts import HostRecord
from tui.store.run_streams import EventStream, FileStream, Formats, LogStream, metrics_reader
from tui.store.runs import RunRecord
from tui.store.words import duration, size

TRUNCATED = "── log truncated: its file was cut or replaced, and is read from its new beginning ──"

RunKey = tuple[str, str]


class Store:
    """Everything that the screens show.

    Attributes:
        hosts: by name.
        runs: by (host, run id), in the order in which they were first heard of.
        alerts: the newest last; `news` are those not yet shown, `unseen` those not yet acknowledged.
        bands: the health file, None before it was read.
        formats: of the logs of commands, those that are looked for first before the others.
        watch: the rules of alerts.
        seen: failures that were acknowledged, as (host, run id, attempt).
    """

    def __init__(
        self, hosts: Iterable[str | Host], bands: Bands | None = None, formats: Formats = FORMATS
    ) -> None:
        self.hosts: dict[str, HostRecord] = {}
        for host in hosts:
            self.add_host(host)
        self.runs: dict[RunKey, RunRecord] = {}
        self.alerts: deque[Alert] = deque(maxlen=200)
        self.news: list[Alert] = []
        self.unseen: list[Alert] = []
        self.bands = bands
        self.formats = formats
        self._events: dict[RunKey, EventStream | FileStream] = {}
        self._logs: dict[RunKey, LogStream] = {}
        self.watch = AlertWatch()
        self.seen: set[tuple[str, str, int]] = set()
        self._noted: set[tuple[RunKey, str]] = set()
        self._counts: Counter[str] = Counter()

    def add_host(self, host: str | Host) -> HostRecord:
        """Know one more host, or what its file says now of one that is known."""
        name, config = (host, None) if isinstance(host, str) else (host.name, host)
        record = self.hosts.setdefault(name, HostRecord(name))
        record.config = config
        return record

    def forget_host(self, name: str) -> None:
        """Know a host and its runs no longer."""
        for key in [key for key in self.runs if key[0] == name]:
            self._forget(key)
        self.hosts.pop(name, None)

    def apply(self, host: str, update: Update, now: float, wall: float) -> None:
        """Take one update of a host's session.

        Args:
            host: whose session said it.
            update: what was said.
            now: monotonic seconds.
            wall: epoch seconds.
        """
        record = self.hosts[host]
        record.version += 1
        if not isinstance(update, LinkChanged | AgentTalk):
            record.received_at = now
        match update:
            case Bytes():
                self._bytes(host, update, now, wall)
            case RunChanged():
                self._see(host, update.run, now)
            case RunsSeen():
                self._runs(record, update, now, wall)
            case LinkChanged():
                self._link(record, update, now)
            case Recovered():
                self._recovered(host, update)
            case HostSeen():
                record.hello = update.hello
            case Telemetry():
                record.load = update.load
                for alert in self.watch.load(host, update.load, now):
                    self._alert(alert)
            case Truncated():
                self._truncated(host, update)
            case Gap():
                self._gap(host, update)
            case AgentTalk():
                record.talk.append(update.text)
            case StreamEnd():
                self._end(host, update, now)
            case StreamBegin():
                pass  # how much there is, the run's own words say

    def run_of(self, key: RunKey | None) -> RunRecord | None:
        """The run, or None where none is chosen or it is unknown."""
        return self.runs.get(key) if key is not None else None

    def host_of(self, run: RunRecord) -> HostRecord:
        """The host of a run."""
        return self.hosts[run.host]

    def _alert(self, alert: Alert) -> None:
        self.alerts.append(alert)
        self.news.append(alert)
        self.unseen = [*self.unseen[-99:], alert]

    def acknowledge(self) -> int:
        """All alerts so far have been seen; how many had not."""
        count, self.unseen = len(self.unseen), []
        self.seen = {(*key, run.view.attempt) for key, run in self.runs.items() if run.view.has_failed}
        return count

    def take_news(self, now: float | None = None) -> list[Alert]:
        """Alerts that nobody has seen yet, once; at `now` (monotonic seconds) also runs that stand still."""
        for alert in self.watch.silence(self.runs, self.hosts, now) if now is not None else ():
            self._alert(alert)
        news, self.news = self.news, []
        return news

    def _link(self, record: HostRecord, update: LinkChanged, now: float) -> None:
        record.take_link(update.link, now)
        if update.link.is_up:
            record.received_at = now
        news = alerts.of_link_change(record, update.back_after_s, now)
        if news is not None:
            self._alert(news)

    def _recovered(self, host: str, update: Recovered) -> None:
        """Every log that is being read says that it has caught up, and with how much."""
        missed = f"{update.lines:,} line{'' if update.lines == 1 else 's'} recovered"
        recovered = missed if update.lines else "nothing was missed"
        of = f" in {update.runs} runs" if update.runs > 1 else ""
        for run in self.runs.values():
            if run.host == host and len(run.log):
                run.log.note(f"── link back after {duration(update.seconds)}, {recovered}{of} ──")

    def _runs(self, record: HostRecord, update: RunsSeen, now: float, wall: float) -> None:
        record.runs_seen = True
        record.left_out = update.left_out
        record.wall_ahead = update.wall - wall
        for trouble in update.troubles:
            self._tell_once((record.name, ""), f"{record.name}: {trouble}", now)
        listed = {view.run_id for view in update.runs}
        for key in [key for key in self.runs if key[0] == record.name and key[1] not in listed]:
            over = self.runs[key].view.is_terminal
            if not update.left_out or (update.has_all_live and not over):
                self._forget(key)  # else it may be one of those that the host left out
        for view in sorted(update.runs, key=lambda view: (view.is_terminal, -view.created)):
            self._see(record.name, view, now)
        for alert in self.watch.left(record.name, update, self.runs, now):
            self._alert(alert)

    def _see(self, host: str, view: RunView, now: float) -> None:
        key = (host, view.run_id)
        run = self.runs.get(key)
        if run is None:
            if self._counts[host] >= RUNS_MAX:
                self._tell_once(
                    (host, ""), f"{host} tells more than {RUNS_MAX:,} runs: the rest is left out", now
                )
                return
            self._counts[host] += 1
            self.runs[key] = RunRecord(host=host, view=view, received_at=now)
        elif run.see(view, now):
            ending = alerts.of_state(host, view, run.name, now)
            if ending is not None:
                self._alert(ending)

    def _forget(self, key: RunKey) -> None:
        if key in self.runs:
            self._counts[key[0]] -= 1
        self._noted = {note for note in self._noted if note[0] != key}
        self.watch.forget(key)
        for table in (self.runs, self._events, self._logs):
            table.pop(key, None)

    def _bytes(self, host: str, update: Bytes, now: float, wall: float) -> None:
        key = (host, update.run_id)
        run = self.runs.get(key)
        if run is None:
            return  # of a run that its host has forgotten
        run.received_at = now
        host_wall = wall + (self.hosts[host].wall_ahead or 0.0)
        written_at = update.at or host_wall  # a log has no clock of its own, but its file has
        received_at: float | None = None
        if update.what == "events":
            stream = self._events.setdefault(key, metrics_reader(run, self.formats))
            if isinstance(stream, FileStream):
                stream.wall = lambda: written_at
                received_at = now - max(0.0, host_wall - written_at)
            events = stream.take(run, update.gen, update.offset, update.data)
        else:
            log = self._logs.setdefault(key, LogStream(lambda: 0.0, self.formats))
            log.wall = lambda: written_at
            run.log_at = now if run.log_at is None else run.log_at
            events = log.take(run, update.gen, update.offset, update.data, update.file)
            # A row is as old as the bytes it came in: a log's own clock has no zone.
            received_at = now - max(0.0, host_wall - written_at)
        run.version += 1
        self._apply(key, run, events, now, host_wall, received_at)

    def _apply(
        self,
        key: RunKey,
        run: RunRecord,
        events: list[Event],
        now: float,
        host_wall: float,
        received_at: float | None = None,
    ) -> None:
        """Take events; a row is as old as its own clock says, however late it came, or as `received_at`."""
        zones = self.bands.metrics.get("R") if self.bands else None
        for one in events:
            event = cleaned(one)
            written_at = now - max(0.0, host_wall - event.t) if event.t else now
            if received_at is not None:
                written_at = received_at
            try:
                run.apply(event, written_at, zones)
            except Exception as error:  # one event that we cannot take costs itself, and is told once
                self._tell_once(key, f"{run.name}: an event could not be taken: {error!r}"[:300], now)
                continue
            for alert in self.watch.event(run, event, now, written_at, self.bands):
                self._alert(alert)
        if run.names_left_out:
            self._tell_once(
                key, f"{run.name} tells more than {NAMES_MAX:,} metrics: the rest is left out", now
            )

    def _tell_once(self, key: RunKey, text: str, now: float) -> None:
        if (key, text) not in self._noted:
            self._noted.add((key, text))
            self._alert(alerts.of_bounds(*key, text, now))

    def _end(self, host: str, update: StreamEnd, now: float) -> None:
        """A followed file is over; whether its run is, says the run's state."""
        log = self._logs.get((host, update.run_id))
        run = self.runs.get((host, update.run_id))
        if log is not None and run is not None:
            self._apply((host, update.run_id), run, log.finish(), now, 0.0, now)

    def _truncated(self, host: str, update: Truncated) -> None:
        run = self.runs.get((host, update.run_id))
        if run is not None:
            run.log.note(TRUNCATED)

    def _gap(self, host: str, update: Gap) -> None:
        run = self.runs.get((host, update.run_id))
        if run is not None:
            skipped = size(update.missed)
            run.log.note(f"── gap: {skipped} were skipped to keep up; they are whole on the host ──")

    def forget_stream(self, key: RunKey, what: str) -> None:
        """Before a file of a run is followed again from an earlier place."""
        run = self.runs.get(key)
        if run is None:
            return
        if what == "events" or run.view.kind == "command":
            run.forget_metrics()
        (self._events if what == "events" else self._logs).pop(key, None)
        if what == "log":
            run.log = type(run.log)()
