"""A session that says what a test tells it to, and remembers what it was asked."""

import json
import math
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from remote.actions import Outcome, StartRequest
from remote.hosts.host import Host
from remote.protocol.errors import CallError, Question
from remote.protocol.keeping import WaitingLine
from remote.protocol.results import Backfill, HostLoad, ProcessList
from remote.protocol.trained import FeedReport, RetentionAnswer
from remote.protocol.values import read_as
from remote.protocol.verbs import Verb
from remote.protocol.views import HostHello, LastCheckpoint, RunDetails, RunView
from remote.session.link.link_state import LinkState, Phase
from remote.session.updates import Bytes, HostSeen, LinkChanged, RunChanged, RunsSeen, Telemetry, Update
from remote.transport.base import Answers
from tests.tui.fake_kept import FakeKeptActs
from tui.app import Cockpit
from tui.store.jobs import HostJob
from tui.store.kept.shelf import CheckpointShelf, Transfer

R = TypeVar("R")

START = 1_000.0
WALL = 1_700_000_000.0
HELLO = HostHello(
    proto=(1, 0), version="0", host_id="h", boot_id="b", agent_epoch="e", wall=WALL, pid=7,
    platform="Linux", python="3.11", devices=("cpu", "cuda-0"),
)  # fmt: skip


def view(run_id: str = "demo-aaaaaa", **changes: Any) -> RunView:
    """A run of our trainer, running."""
    base = RunView(
        run_id=run_id, name="demo", kind="trainer", state="running", seq=3, attempt=1, reason="", code=None,
        signal=None, device="cpu", preset="kssm-v3-tiny", since=WALL - 60, created=WALL - 60, max_steps=3000,
        pid=4242, supervisor_pid=4241, resumable=False, why_not="it is running", log_file="001.log",
        last_checkpoint=LastCheckpoint(step=200, name="step-00000200", sha256="ab" * 32, at=WALL - 30),
        dir="/somewhere", start_id="s",
    )  # fmt: skip
    return replace(base, **changes)


class FakeSession:
    """As a `remote.session.session.Session` looks from the cockpit."""

    def __init__(self, name: str = "local", **fields: Any) -> None:
        self.host = Host(name, **fields)
        self.read_only = False
        self.answers = Answers()
        self.results: dict[str, Mapping[str, Any] | CallError] = {}
        self.link = LinkState()
        self.box: deque[Update] = deque()
        self.started = threading.Event()
        self.closed = False
        self.reconnects = 0
        self.followed: dict[int, tuple[str, str, int]] = {}
        self.unfollowed: list[int] = []

    def start(self) -> "FakeSession":
        self.started.set()
        return self

    def close(self) -> None:
        self.closed = True

    def reconnect_now(self) -> None:
        self.reconnects += 1

    redial = reconnect_now

    def drain(self, limit: int = 1000) -> list[Update]:
        return [self.box.popleft() for _ in range(min(limit, len(self.box)))]

    def follow(
        self, run_id: str, what: str = "log", cursor: None = None, last: int = 0, *, skip: bool = False
    ) -> int:
        key = len(self.followed) + 1
        self.followed[key] = (run_id, what, last)
        return key

    def watch(self, path: str, cursor: None = None, last: int = 0, goes_on: bool = True) -> int:
        raise AssertionError(f"{path} was not to be opened")

    def unfollow(self, key: int) -> None:
        self.unfollowed.append(key)

    def say(self, *updates: Update) -> None:
        self.box.extend(updates)

    def connect(self, *runs: RunView, **load: float) -> None:
        """Up, with these runs."""
        self.link = LinkState("connected", 0.001, START, 0)
        self.say(LinkChanged(self.link), HostSeen(HELLO), RunsSeen(runs, WALL))
        self.say(
            Telemetry(
                read_as(
                    HostLoad,
                    {"cpu_percent": 37.0, "mem_used": 6.1e9, "mem_total": 24.4e9, "disk_free": 81e9, **load},
                )
            )
        )

    def call(self, verb: Verb[Any, R], args: object, timeout: float = 10.0) -> R:
        found = self.results[verb.name]
        if isinstance(found, CallError):
            raise found
        return read_as(verb.result, found)

    def lose(self) -> None:
        self.link_is("lost", since=START, attempt=1, reason="no pong for 9 s")

    def link_is(self, phase: Phase, **facts: Any) -> None:
        """Another state of the link."""
        self.link = LinkState(phase, **facts)
        self.say(LinkChanged(self.link))

    def change(self, run: RunView) -> None:
        self.say(RunChanged(run))

    def key_of(self, run_id: str, what: str) -> int:
        """The key under which a file of a run is followed now."""
        live = {key for key in self.followed if key not in self.unfollowed}
        return max(key for key in live if self.followed[key][:2] == (run_id, what))

    def send(self, run_id: str, what: str, text: str | bytes, *, gen: int = 1, offset: int = 0) -> None:
        """Bytes of a followed file."""
        data = text if isinstance(text, bytes) else text.encode()
        self.say(Bytes(self.key_of(run_id, what), run_id, what, gen, offset, data, "001.log"))


class FakeActs(FakeKeptActs):
    """Remembers every act; answers at once."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[StartRequest] = []
        self.pieces: list[Backfill] = []
        self.asked: list[tuple[str, str]] = []
        self.results: dict[tuple[str, str], Mapping[str, Any] | CallError] = {}

    def hosts(self) -> tuple[str, ...]:
        return ("local",)

    def reap(self, host: str, run_id: str, pid: int, start: int, told: Callable[[Outcome], None]) -> None:
        self._do("reap", host, f"{run_id} {pid} {start}", told)

    def end(self, host: str, pid: int, start: int, told: Callable[[Outcome], None]) -> None:
        self._do("end", host, f"{pid} {start}", told)

    def reply(self, host: str, question: Question, text: str) -> None:
        self.done.append((f"answer {question.kind}", host, text))

    def processes(self, host: str, heard: Callable[[ProcessList | CallError], None]) -> None:
        self.asked.append((host, "processes"))
        found = self.results.get((host, "processes"), CallError("unknown_verb", "no processes here"))
        heard(found if isinstance(found, CallError) else read_as(ProcessList, found))

    def queue(self, host: str, heard: Callable[[WaitingLine | CallError], None]) -> None:
        self.asked.append((host, "queue"))
        found = self.results.get((host, "queue"), {"runs": []})
        heard(found if isinstance(found, CallError) else read_as(WaitingLine, found))

    def change_queue(
        self,
        host: str,
        run_id: str,
        heard: Callable[[WaitingLine | CallError], None],
        *,
        place: int | None = None,
        held: bool | None = None,
        after: str | None = None,
    ) -> None:
        changes = {"place": place, "held": held, "after": after}
        told = {name: value for name, value in changes.items() if value is not None}
        self.done.append(("queue", host, f"{run_id} {told}"))
        self.queue(host, heard)

    def details(self, host: str, run_id: str, heard: Callable[[RunDetails | CallError], None]) -> None:
        self.asked.append((host, f"details {run_id}"))
        found = self.results.get((host, f"details {run_id}"), CallError("unknown_verb", "no details here"))
        heard(found if isinstance(found, CallError) else read_as(RunDetails, found))

    def start(self, host: str, request: StartRequest, told: Callable[[Outcome], None]) -> None:
        self.requests.append(request)
        self._do("start", host, request.name, told)

    def resume(self, host: str, run_id: str, told: Callable[[Outcome], None]) -> None:
        self._do("resume", host, run_id, told)

    def resume_from(self, host: str, run_id: str, checkpoint: str, told: Callable[[Outcome], None]) -> None:
        self._do("resume", host, f"{run_id} {checkpoint}", told)

    def stop(self, host: str, run_id: str, told: Callable[[Outcome], None]) -> None:
        self._do("stop", host, run_id, told)

    def kill(self, host: str, run_id: str, told: Callable[[Outcome], None]) -> None:
        self._do("kill", host, run_id, told)

    def older(
        self, host: str, run_id: str, file: str, before: int, heard: Callable[[Backfill | CallError], None]
    ) -> None:
        self.asked.append((host, f"older {file} {before}"))
        heard(self.pieces.pop(0) if self.pieces else CallError("not_found", "001.log was cut meanwhile"))

    def reconnect(self, host: str) -> None:
        self.done.append(("reconnect", host, ""))


class FakeWork:
    """Work on hosts that ends as a test says; remembers what was begun."""

    def __init__(self) -> None:
        self.begun: list[HostJob] = []
        self.added: list[Host] = []
        self.fault = ""

    def add(self, host: Host, told: Callable[[Host | str], None]) -> None:
        self.added.append(host)
        told(self.fault or host)

    def test(self, job: HostJob) -> None:
        self.begun.append(job)

    deploy = doctor = test


class FakeShelves:
    """Checkpoints as a test says; remembers what was pulled or proven, and ends it when told to."""

    def __init__(self) -> None:
        self.shelf = CheckpointShelf(START)
        self.reads = 0
        self.begun: list[tuple[Transfer, Callable[[], None]]] = []
        self.done: list[tuple[str, str]] = []
        self.fed: FeedReport | CallError = CallError("refused", "it is no feed")
        self.planned: RetentionAnswer | CallError = RetentionAnswer(keep={}, remove=[])

    def read(self, host: str, run_id: str, told: Callable[[CheckpointShelf], None]) -> None:
        self.reads += 1
        told(self.shelf)

    def pull(self, transfer: Transfer, ended: Callable[[], None]) -> None:
        self.begun.append((transfer, ended))

    verify = prove = pull

    def pin(self, host: str, run_id: str, name: str, pinned: bool, told: Callable[[Outcome], None]) -> None:
        self.done.append(("pin" if pinned else "unpin", name))
        told(Outcome(True, None, message="so it is"))

    def plan(self, host: str, run_id: str, heard: Callable[[RetentionAnswer | CallError], None]) -> None:
        heard(self.planned)

    def retain(self, host: str, run_id: str, plan: str, told: Callable[[Outcome], None]) -> None:
        self.done.append(("retain", plan))
        told(Outcome(True, None, message="gone"))

    def feed(self, host: str, run_id: str, heard: Callable[[FeedReport | CallError], None]) -> None:
        self.done.append(("feed", run_id))
        heard(self.fed)

    def wish(self, host: str, run_id: str, words: Sequence[str], told: Callable[[Outcome], None]) -> None:
        self.done.append(("wish", " ".join((run_id, *words))))
        told(Outcome(True, None, message="granted"))

    def restore(self, host: str, run_id: str, told: Callable[[Outcome], None]) -> None:
        self.done.append(("restore", run_id))
        told(Outcome(True, None, message="back"))


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.passed = 0.0

    def mono(self) -> float:
        return START + self.passed

    def wall(self) -> float:
        return WALL + self.passed


def cockpit(
    *sessions: FakeSession,
    clock: Clock | None = None,
    acts: FakeActs | None = None,
    focus: str | None = None,
    work: FakeWork | None = None,
    shelves: FakeShelves | None = None,
) -> Cockpit:
    """The real application on fake sessions. Its timer is too slow to matter: tests call `tick`; and what it
    says in the corner stays there, however slow the machine is."""
    clock = clock or Clock()
    app = Cockpit(
        list(sessions),  # type: ignore[arg-type]
        focus, acts=acts or FakeActs(), work=work or FakeWork(),
        shelves=shelves or FakeShelves(), clock=clock.mono, wall=clock.wall,
        tick_s=3600.0,
    )  # fmt: skip
    shown = app.notify

    def notify(message: str, **more: Any) -> None:
        shown(message, **(more | {"timeout": 600.0}))

    app.notify = notify  # type: ignore[method-assign]
    return app


def events(steps: range, **changes: float) -> str:
    """A plausible events.jsonl: hello, floors, then a row for each step."""
    said: list[Mapping[str, object]] = [
        {
            "type": "hello",
            "name": "demo",
            "preset": "kssm-v3-tiny",
            "max_steps": 3000,
            "device": "cpu",
            "pid": 4242,
        },
        {
            "type": "floors",
            "unigram": 3.07,
            "bigram": 2.43,
            "trigram": 2.02,
            "entropy_rate": None,
            "fingerprint": "f",
        },
    ]
    for step in steps:
        said.append({"type": "metrics", "step": step, "u_stat": "median", **row(step), **changes})
        if step and step % 100 == 0:
            scores = {"val_ce": 1.4 + 3.9 * math.exp(-step / 260), "val_ppl": 5.1}
            said.append({"type": "eval", "step": step, "best": True, **scores})
    common = (
        {"seq": number, "attempt": 1, "t": WALL - 60 + number / 8} for number in range(1, len(said) + 1)
    )
    return "".join(json.dumps({**head, **event}) + "\n" for head, event in zip(common, said, strict=True))


def row(step: int) -> dict[str, float]:
    """The metrics of one step: a falling loss with a little noise."""
    noise = math.sin(step * 12.9898) * 43758.5453 % 1 - 0.5
    ce = 1.38 + 3.9 * math.exp(-step / 260) + 0.18 * noise
    return {
        "total": ce + 0.008,
        "ce": ce,
        "reg": 0.008 + 0.004 * noise,
        "R": 0.12 + 0.3 * (1 - math.exp(-step / 500)) + 0.015 * noise,
        "coherence": 0.4,
        "u_val": 1.0 + 0.35 * math.sin(step / 180) + 0.05 * noise,
        "u_low": 0.04,
        "u_high": 0.01,
        "grad_norm": 0.9 + 3.0 * math.exp(-step / 120) + 0.5 * abs(noise),
        "lr": 0.004,
        "tokens": 2048.0 * step,
        "tokens_per_s": 15230.0,
        "step_ms": 134.0,
        "eta_s": max(3000 - step, 0) * 0.134,
        "overhead": 0.011,
    }
