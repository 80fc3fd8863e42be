"""Watched runs through a session and a real agent, of today and of the version before."""

from collections.abc import Callable
from pathlib import Path

from remote.hosts.host import Host
from remote.protocol.views import RunView
from remote.session.session import Session
from remote.session.updates import Bytes, RunsSeen, Update
from remote.session.watching.watched_runs import OLDER_AGENT
from tests.remote.old_agent import OldAgent
from tests.waiting import wait_until


def until(session: Session, is_so: Callable[[list[Update]], bool]) -> list[Update]:
    """Drain until what was told so far is enough."""
    told: list[Update] = []

    def enough() -> bool:
        told.extend(session.drain())
        return is_so(told)

    wait_until(enough)
    return told


def runs(told: list[Update]) -> dict[str, RunView]:
    return {run.run_id: run for update in told if isinstance(update, RunsSeen) for run in update.runs}


def test_a_file_that_fits_is_told_as_a_run_and_its_bytes_come_as_its_log(home: Path, tmp_path: Path) -> None:
    (folder := tmp_path / "exp" / "a").mkdir(parents=True)
    (folder / "train.log").write_text("step=1 loss=2\n")
    host = Host("local", watch=(f"{tmp_path}/exp/*/train.log",))
    with Session(host, watches=True) as session:
        view = runs(until(session, lambda told: "a/train.log" in runs(told)))["a/train.log"]
        assert (view.state, view.dir) == ("writing", str(folder / "train.log"))
        key = session.follow("a/train.log", "log")
        (got,) = (
            one
            for one in until(session, lambda told: any(isinstance(one, Bytes) for one in told))
            if isinstance(one, Bytes)
        )
        assert (got.key, got.run_id, got.what, got.data) == (key, "a/train.log", "log", b"step=1 loss=2\n")
        session.unfollow(key)


def test_an_agent_of_the_version_before_is_told_of_and_serves_all_else(home: Path) -> None:
    host = Host("local", watch=("/exp/*/train.log",))
    with Session(host, opener=OldAgent, watches=True) as session:
        told = until(
            session,
            lambda told: any(isinstance(one, RunsSeen) and OLDER_AGENT in one.troubles for one in told),
        )
        assert runs(told) == {}
        assert session.link.is_up
