"""Large files take turns, small ones do not, and nobody waits who should leave."""

import contextlib
import threading
from collections.abc import Callable, Iterator

from remote.transfer.large_file_turn import LARGE, LargeFileTurn
from tests.waiting import wait_until


def never() -> bool:
    return False


def overlapped(turn: LargeFileTurn) -> bool:
    """Whether a second large file gets in while the first is held, until that one was seen waiting."""
    asked, inside = [0], threading.Event()

    def seen() -> bool:
        asked[0] += 1  # who waits asks, again and again, whether it should leave
        return False

    def second() -> None:
        with turn.taken(LARGE, seen):
            inside.set()

    late = threading.Thread(target=second)
    with turn.taken(LARGE, never):
        late.start()
        wait_until(lambda: asked[0] > 1 or inside.is_set(), 10.0, "the second to wait, or to get in")
        together = inside.is_set()
    wait_until(inside.is_set, 10.0, "the second to have its turn")
    late.join(10.0)
    return together


def test_large_files_take_turns() -> None:
    assert not overlapped(LargeFileTurn())


def test_a_turn_that_excludes_nobody_would_be_noticed() -> None:
    class Open(LargeFileTurn):
        @contextlib.contextmanager
        def taken(self, count: int, is_cancelled: Callable[[], bool]) -> Iterator[None]:
            del count, is_cancelled
            yield

    assert overlapped(Open())


def test_a_small_file_does_not_wait_for_a_large_one() -> None:
    turn, waits = LargeFileTurn(), list[int]()

    def asked() -> bool:
        waits.append(1)
        return True  # who waits asks whether it should leave

    with turn.taken(LARGE, never):
        with turn.taken(LARGE - 1, asked):
            assert not waits
        with turn.taken(LARGE, asked):
            assert waits


def test_who_should_leave_waits_for_nobody() -> None:
    turn, leave, through = LargeFileTurn(), threading.Event(), threading.Event()

    def late() -> None:
        with turn.taken(LARGE, leave.is_set):
            through.set()

    with turn.taken(LARGE, never):
        waiting = threading.Thread(target=late)
        waiting.start()
        assert not through.is_set()
        leave.set()
        wait_until(through.is_set, 10.0, "it to go on, without the lane, to where it leaves")
        waiting.join(10.0)
    with turn.taken(LARGE, never):
        pass  # what was never taken was not given back
