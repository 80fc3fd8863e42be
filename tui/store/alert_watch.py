"""The rules of every run and host that is known, and their firings as alerts with a name before them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from remote.protocol.results import HostLoad
from remote.session.updates import RunsSeen
from trainer.telemetry.alerts.host_rules import HostRules
from trainer.telemetry.alerts.occasion import Firing
from trainer.telemetry.alerts.own_rules import OwnRule
from trainer.telemetry.alerts.run_rules import RunRules
from trainer.telemetry.bands import Bands
from trainer.telemetry.events import Evaluation, Event, Metrics, Probe, Resume
from tui.store.alerts import Alert, of_state
from tui.store.hosts import HostRecord
from tui.store.lamps import silence_s
from tui.store.runs import RunRecord

PAST_MAX = 20  # failures of a host that are told when it is heard first
OLD_S = 600.0  # what happened longer ago is history when it is read, and no news
JUDGED = frozenset({Metrics, Evaluation, Probe, Resume})
ALWAYS = frozenset({"nan"})  # but this is told whenever it is found


class AlertWatch:
    """Keeps the rules; the store asks it with each thing that it hears, and twice a second.

    Attributes:
        own: the operator's rules, of runs that are heard of from here on.
        looked: host -> epoch seconds at which this client heard of its runs last, before it began.
    """

    def __init__(self) -> None:
        self.own: Sequence[OwnRule] = ()
        self.looked: Mapping[str, float] = {}
        self._greeted: set[str] = set()
        self._runs: dict[tuple[str, str], RunRules] = {}
        self._hosts: dict[str, HostRules] = {}
        self._left: dict[str, Mapping[str, Sequence[str]]] = {}
        self._lives: dict[tuple[str, str], int] = {}

    def forget(self, key: tuple[str, str]) -> None:
        """A run is known no longer."""
        self._runs.pop(key, None)
        self._lives.pop(key, None)

    def event(
        self, run: RunRecord, event: Event, now: float, written_at: float, bands: Bands | None
    ) -> list[Alert]:
        """What a run said at `written_at`, and heard `now`: monotonic seconds."""
        if type(event) not in JUDGED:
            return []
        key = (run.host, run.view.run_id)
        rules = self._runs.get(key)
        if rules is None:
            rules = self._runs[key] = RunRules(bands, self.own)
        found: list[Firing] = []
        step = event.step
        if type(event) is Metrics:
            found = rules.row(step, event.values, event.nonfinite) if step is not None else found
        elif isinstance(event, Resume):
            rules.forget(step if step is not None else -1)
            self._lives[key] = self._lives.get(key, 0) + 1
        elif isinstance(event, Probe):
            found = rules.probe(step, event.values)
        elif isinstance(event, Evaluation) and step is not None:
            found = rules.scores(step, event.values, event.nonfinite)
        if not found:
            return []
        is_old = run.view.is_terminal or now - written_at > OLD_S
        # A trainer's clock tells a second try at a step from the first; a log was read from its start.
        which = f" at {event.t:.0f}" if not run.is_command else f" of {self._lives.get(key, 0)}"
        return [_of_run(run, one, now, which) for one in found if not is_old or one.rule in ALWAYS]

    def silence(
        self, runs: Mapping[tuple[str, str], RunRecord], hosts: Mapping[str, HostRecord], now: float
    ) -> list[Alert]:
        """Runs that stand still, by their own pace; once a host, those that failed before it was heard."""
        found = list(self._past(runs, hosts, now))
        for key, rules in self._runs.items():
            if (run := runs.get(key)) is not None and run.view.state == "running":
                idle = silence_s(run, hosts[run.host], now)
                found += [_of_run(run, one, now) for one in rules.silence(idle, run.stall_s, run.step)]
        return found

    def _past(
        self, runs: Mapping[tuple[str, str], RunRecord], hosts: Mapping[str, HostRecord], now: float
    ) -> Iterator[Alert]:
        for name, host in hosts.items():
            if not host.runs_seen or name in self._greeted:
                continue
            self._greeted.add(name)
            if (looked := self.looked.get(name)) is None:
                continue
            since = looked + (host.wall_ahead or 0.0)
            mine = (run for key, run in runs.items() if key[0] == name and run.view.has_failed)
            failed = sorted((run for run in mine if run.view.since >= since), key=lambda run: run.view.since)
            for run in failed[-PAST_MAX:]:
                if (alert := of_state(name, run.view, run.name, now)) is not None:
                    yield replace(alert, text=f"{alert.text} (since you looked last)")

    def left(
        self, host: str, update: RunsSeen, runs: Mapping[tuple[str, str], RunRecord], now: float
    ) -> list[Alert]:
        """What runs left behind. The same `left`, told once more by the session, is no new look."""
        if self._left.get(host) is update.left:
            return []
        self._left[host] = update.left
        found = self._hosts.setdefault(host, HostRules()).orphans(update.left, now)
        return [
            Alert(now, host, run_id, one.level, f"{runs[host, run_id].name}: {one.text}", one.rule, one.text)
            for run_id, one in found.items()
            if (host, run_id) in runs
        ]

    def load(self, host: str, load: HostLoad, now: float) -> list[Alert]:
        """A reading of a machine."""
        used, total = load.mem_used, load.mem_total
        percent = 100 * used / total if used is not None and total else None
        rules = self._hosts.setdefault(host, HostRules())
        found = rules.load(percent, load.disk_free)
        return [Alert(now, host, "", one.level, f"{host}: {one.text}", one.rule) for one in found]


def _of_run(run: RunRecord, one: Firing, now: float, which: str = "") -> Alert:
    occasion = f"step {one.step}{which or f' of attempt {run.view.attempt}'}"
    return Alert(now, run.host, run.run_id, one.level, f"{run.name}: {one.text}", one.rule, occasion)
