"""A server that takes the connection and ends it is not dialled once a second: each attempt counts there."""

from dataclasses import replace

import pytest

from remote.hosts.host import Host
from remote.session.link.link_state import Absence, Timings
from remote.session.session import Session
from remote.transport.base import Answers
from tests.remote.ssh.doors import talker
from tests.remote.ssh.sessions import PATIENCE, QUICK, StartSshd
from tests.sshd.client import Laptop
from tests.sshd.server import free_port
from tests.waiting import wait_until

WARY = replace(QUICK, wary_s=(600.0,))


@pytest.fixture
def steps() -> Absence:
    return Absence(Timings(jitter=0.0), 0.0)


def test_the_pauses_grow_from_the_third_time_on_and_begin_anew_after_a_good_link(steps: Absence) -> None:
    assert [steps.goes_on(1.0, turned_away=True) for _ in range(6)] == [0.2, 0.5, 5.0, 15.0, 30.0, 30.0]
    steps.ends()
    assert steps.goes_on(2.0, turned_away=True) == 0.2


def test_who_does_not_answer_at_all_is_tried_as_often_as_ever(steps: Absence) -> None:
    assert [steps.goes_on(1.0) for _ in range(6)] == [0.2, 0.5, 1.0, 1.0, 1.0, 1.0]
    for _ in range(3):
        steps.goes_on(2.0, turned_away=True)
    assert steps.goes_on(3.0) == 1.0, "nobody was bothered this time"


def waits(session: Session) -> bool:
    return session.link.phase == "retrying" and session.link.retry_in_s > 100.0


@pytest.mark.parametrize("words", [b"Not allowed at this time\r\n", b"HTTP/1.1 400 Bad Request\r\n", b""])
def test_a_server_that_hangs_up_is_left_alone_after_three(laptop: Laptop, words: bytes) -> None:
    with (
        talker(words) as server,
        Session(Host("box", address=f"x@127.0.0.1:{server.port}"), timings=WARY) as session,
    ):
        wait_until(lambda: waits(session), 20.0, "the long pause")
        assert server.count == 3
        session.reconnect_now()
        wait_until(lambda: server.count == 4, 20.0, "an attempt that was asked for")


def test_a_proxy_that_is_turned_away_is_left_alone_too(laptop: Laptop) -> None:
    laptop.add_config("Host box\n  ProxyCommand sh -c 'echo Permission denied >&2; exit 255' # %h")
    host = Host("box", address="box")
    answers = Answers()
    with Session(host, timings=WARY, answers=answers) as session:
        wait_until(lambda: session.link.question is not None, 20.0, "the question")
        assert session.link.question is not None
        session.answer(session.link.question, "yes")
        wait_until(lambda: waits(session), 20.0, "the long pause")
        assert "Permission denied" in session.link.reason


def test_an_agent_that_always_dies_is_left_alone_too(start_sshd: StartSshd) -> None:
    sshd = start_sshd()
    host = sshd.host()
    sshd.place(host, env=PATIENCE)
    (sshd.folder / "python-box").write_text("#!/bin/sh\nkill -9 $$\n")
    with Session(host, timings=WARY) as session:
        wait_until(lambda: waits(session), 20.0, "the long pause")
    logins = (sshd.folder / "log").read_text().count("Accepted publickey")
    assert logins == 3


def test_a_port_where_nobody_listens_is_tried_on(laptop: Laptop) -> None:
    with Session(Host("box", address=f"x@127.0.0.1:{free_port()}"), timings=WARY) as session:
        wait_until(lambda: session.link.attempt > 6, 20.0, "further attempts")
        assert session.link.retry_in_s < 100.0
