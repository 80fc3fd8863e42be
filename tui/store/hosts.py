"""One host as this client knows it: the link, and what its agent said of the machine."""

from collections import deque
from dataclasses import dataclass, field

from remote.hosts.host import Host
from remote.protocol.errors import Question
from remote.protocol.results import AcceleratorLoad, HostLoad
from remote.protocol.views import HostHello
from remote.session.link.link_state import LinkState
from tui.store.jobs import HostJob

TROUBLES_MAX = 8
AWAY = frozenset({"lost", "retrying", "refused", "needs_passphrase", "key_unknown", "key_changed"})


@dataclass(slots=True)
class HostRecord:
    """Three facts that are never mixed: the link is here, run states are in the runs, ages are worked out.

    Attributes:
        config: what the operator's hosts file says of it; None where only its name is known.
        link_at: monotonic seconds at which the link's state was told last.
        away_since: monotonic seconds at which a link that had been up went away; None while it is up.
        received_at: monotonic seconds at which anything was received from the host; None before that.
        job: the newest piece of work on the host itself: a test, a deploy, a doctor.
        troubles: what was the matter with the link since it was up last.
        load: the newest telemetry; a missing or None value is unknown, never zero.
        left_out: how many more runs it has, all over, than it was asked to tell.
        is_past: it is shown as it was at an earlier time; how its link was then, nobody knows.
        wall_ahead: seconds by which the host's clock is ahead of ours, None before it was told.
    """

    name: str
    config: Host | None = None
    link: LinkState = field(default_factory=LinkState)
    link_at: float = 0.0
    away_since: float | None = None
    received_at: float | None = None
    hello: HostHello | None = None
    load: HostLoad = field(default_factory=HostLoad)
    talk: deque[str] = field(default_factory=lambda: deque(maxlen=100))
    wall_ahead: float | None = None
    job: HostJob | None = None
    runs_seen: bool = False
    is_past: bool = False
    left_out: int = 0
    troubles: set[object] = field(default_factory=set)
    version: int = 0

    @property
    def question(self) -> Question | None:
        """What only the operator can decide before this host is reached."""
        answerable = not self.link.is_up and self.link.phase != "key_changed"
        return self.link.question if answerable else None

    @property
    def is_asking(self) -> bool:
        """Whether nothing goes on before the operator has looked: a question, or a key that changed."""
        return self.question is not None or self.link.phase == "key_changed"

    @property
    def confirm(self) -> str:
        """What `x` and `K` ask first on this host: `none`, `twice` or `name`."""
        return self.config.confirm if self.config is not None else "twice"

    def take_link(self, link: LinkState, now: float) -> None:
        """Take a new state of the link."""
        if link.is_up:
            self.away_since = None
            self.troubles.clear()
        elif self.link.is_up:
            self.away_since = min(link.since, now) if link.phase in ("lost", "retrying") else now
        self.link, self.link_at = link, now

    def is_new(self, trouble: object) -> bool:
        """Whether it is the first of its like since the link was up: a host is dialled in vain once a second,
        and what is the matter is news once."""
        if trouble in self.troubles or len(self.troubles) >= TROUBLES_MAX:
            return False
        self.troubles.add(trouble)
        return True

    @property
    def devices(self) -> tuple[str, ...]:
        """Accelerators and the processor, by the names that are locked."""
        return self.hello.devices if self.hello else ()

    @property
    def load_now(self) -> HostLoad:
        """The newest telemetry; nothing is known while the host cannot be asked."""
        return self.load if self.link.is_up else HostLoad()

    @property
    def gpus(self) -> list[AcceleratorLoad]:
        """Every accelerator that could be read."""
        return self.load_now.gpus or []
