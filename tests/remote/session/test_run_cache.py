import threading

from remote.protocol.results import Reaped, RunList
from remote.protocol.views import StartedRun
from remote.session.run_cache import AnsweredRuns, RunCache
from tests.remote.views import view


def test_an_older_view_never_overwrites_a_newer_one() -> None:
    board = RunCache()
    assert board.put(view(seq=5, state="stopped"))
    assert board.put(view(seq=4, state="running")) is None
    listed = board.put_all([view(seq=3, state="starting")])
    assert [one.state for one in listed] == ["stopped"]
    now = board.get("demo-abcdef")
    assert now is not None
    assert now.state == "stopped"


def test_the_same_seq_with_a_new_checkpoint_is_news_and_the_same_view_is_none() -> None:
    board = RunCache()
    board.put(view())
    assert board.put(view()) is None
    assert board.put(view(last_checkpoint=None)) is not None


def test_a_waiter_is_woken_by_what_it_waits_for_and_by_the_clock() -> None:
    board = RunCache()
    board.put(view())
    assert board.wait("demo-abcdef", lambda one: one.is_terminal, 0.01) is None
    threading.Timer(0.05, lambda: board.put(view(seq=9, state="stopped"))).start()
    woken = board.wait("demo-abcdef", lambda one: one.is_terminal, 10.0)
    assert woken is not None
    assert woken.seq == 9


def test_what_verbs_answered_lies_over_the_board_where_it_is_newer() -> None:
    answered = AnsweredRuns()
    old, new = view(seq=3, state="running"), view(seq=5, state="stopped")
    other = view(run_id="other-abcdef", seq=1)
    answered.take(StartedRun.of(new, known=True))
    answered.take(RunList(runs=[other], wall=0.0))
    answered.take(Reaped(pid=3, signal=15))
    assert set(answered.over([old])) == {new, other}
    newer = view(seq=9, state="running")
    assert newer in answered.over([newer])
