"""Large files take turns, small ones do not, and nobody waits who should leave."""

import threading

from remote.transfer.large_file_turn import LARGE, LargeFileTurn
from tests.waiting import wait_until


def never() -> bool:
    return False


def test_large_files_take_turns() -> None:
    lane, inside, most = LargeFileTurn(), [0], [0]

    def stream() -> None:
        for _ in range(200):
            with lane.taken(LARGE, never):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=stream) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20.0)
    assert most == [1]


def test_a_small_file_does_not_wait_for_a_large_one() -> None:
    lane, waits = LargeFileTurn(), list[int]()

    def asked() -> bool:
        waits.append(1)
        return True  # who waits asks whether it should leave

    with lane.taken(LARGE, never):
        with lane.taken(LARGE - 1, asked):
            assert not waits
        with lane.taken(LARGE, asked):
            assert waits


def test_who_should_leave_waits_for_nobody() -> None:
    lane, leave, through = LargeFileTurn(), threading.Event(), threading.Event()

    def late() -> None:
        with lane.taken(LARGE, leave.is_set):
            through.set()

    with lane.taken(LARGE, never):
        waiting = threading.Thread(target=late)
        waiting.start()
        assert not through.is_set()
        leave.set()
        wait_until(through.is_set, 10.0, "it to go on, without the lane, to where it leaves")
        waiting.join(10.0)
    with lane.taken(LARGE, never):
        pass  # what was never taken was not given back
