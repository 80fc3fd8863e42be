from remote.session.recovery import Recovery
from remote.session.updates import Recovered


def test_it_is_over_when_every_stream_has_what_the_host_had() -> None:
    recovery = Recovery({1: None, 2: None, 3: None})
    recovery.behind(1, 6)
    recovery.behind(2, 0)
    recovery.seconds = 4.0
    assert recovery.result() is None, "stream 3 has not said yet"
    recovery.behind(3, 2)
    recovery.took(1, "a", "log", b"x\n")
    assert recovery.result() is None
    recovery.took(1, "a", "log", b"y\nz\nwritten since\n")
    recovery.took(3, "b", "events", b"{}")
    assert recovery.result() == Recovered(4.0, 3, 1)


def test_nothing_is_told_before_the_link_is_back() -> None:
    recovery = Recovery({})
    assert recovery.result() is None
    recovery.seconds = 1.0
    assert recovery.result() == Recovered(1.0, 0, 0)


def test_a_stream_that_is_gone_is_not_waited_for() -> None:
    recovery = Recovery({1: None}, seconds=1.0)
    recovery.gone(1)
    recovery.gone(7)
    assert recovery.result() == Recovered(1.0, 0, 0)


def test_streams_that_were_not_there_before_do_not_count() -> None:
    recovery = Recovery({1: 0}, seconds=1.0)
    recovery.behind(9, 100)
    recovery.took(9, "b", "log", b"new\n")
    assert recovery.result() == Recovered(1.0, 0, 0)
