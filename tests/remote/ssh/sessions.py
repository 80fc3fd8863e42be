"""Sessions with a test's sshd, at a tenth of the usual waiting times."""

from collections.abc import Callable

from remote.hosts.host import Host
from remote.session.link.link_state import Timings
from remote.session.session import Session
from remote.session.updates import LinkChanged, Update
from tests.sshd.server import Sshd

StartSshd = Callable[..., Sshd]
QUICK = Timings(
    ping_s=0.1, lagging_s=0.3, lost_s=2.5, hello_s=10.0, backoff_s=(0.05, 0.1), wary_s=(0.1, 0.2),
    refresh_s=0.5
)  # fmt: skip
PATIENCE = {"PHOTINUS_PATIENCE": '{"poll_s": 0.01, "grace_s": 0.4}'}


def placed(sshd: Sshd, user: str = "plain", name: str = "box", *, port: int = 0, agent: str = "") -> Host:
    host = sshd.host(user, name=name, port=port)
    sshd.place(host, agent=agent, env=PATIENCE)
    return host


def agent_pid(session: Session) -> int:
    assert session.hello is not None
    return session.hello.pid


def is_connected(session: Session) -> Callable[[], bool]:
    return lambda: session.link.phase == "connected"


def losses(updates: list[Update]) -> list[str]:
    return [one.link.reason for one in updates if isinstance(one, LinkChanged) and one.link.phase == "lost"]
