"""Fixtures of the tests over SSH; `tests/conftest.py` makes them known everywhere."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sshd.client import Laptop
from tests.sshd.delay import DelayProxy
from tests.sshd.needs import need_namespaces, need_sshd
from tests.sshd.netns import Village, village
from tests.sshd.processes import end_marked
from tests.sshd.server import Sshd, User


@pytest.fixture
def laptop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Laptop]:
    """This process works on a laptop of its own: HOME, PHOTINUS_HOME, PATH, ~/.ssh."""
    need_sshd()
    made = Laptop(tmp_path)
    for key, value in made.env.items():
        monkeypatch.setenv(key, value)
    yield made
    end_marked(f"PHOTINUS_HOME={made.root}")


@pytest.fixture
def start_sshd(tmp_path: Path, laptop: Laptop) -> Iterator[Callable[..., Sshd]]:
    """`start_sshd([User(...)], name="second")`: servers, and everything started on them ended afterwards."""
    started: list[Sshd] = []

    def start(users: list[User] | None = None, name: str = "sshd", **more: object) -> Sshd:
        server = Sshd.start(tmp_path, users or [User("plain")], laptop=laptop, name=name, **more)  # type: ignore[arg-type]
        started.append(server)
        return server

    yield start
    for server in started:
        server.close()


@pytest.fixture
def sshd(start_sshd: Callable[..., Sshd]) -> Sshd:
    """One server with the user `plain`."""
    return start_sshd()


@pytest.fixture
def slow_link(sshd: Sshd) -> Iterator[Callable[[float], DelayProxy]]:
    """`slow_link(0.075)`: a way to `sshd` with a delay in each direction; pause, cut and count there."""
    opened: list[DelayProxy] = []

    def open_link(delay_s: float = 0.0) -> DelayProxy:
        opened.append(DelayProxy(sshd.port, delay_s))
        return opened[-1]

    yield open_link
    for proxy in opened:
        proxy.close()


@pytest.fixture
def town() -> Iterator[Village]:
    """Two hosts' places in network namespaces, one behind the other."""
    need_namespaces()
    with village() as made:
        yield made


__all__ = ["laptop", "slow_link", "sshd", "start_sshd", "town"]
