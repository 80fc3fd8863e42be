"""A road that falls silent: shown in time, and healed as soon as it is."""

import math
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from remote.session.link.link_state import Timings
from remote.session.session import Session, connect
from tests.end_to_end.ssh.box import QUICK, Box
from tests.end_to_end.ssh.listening import Mirror
from tests.remote.calling import call
from tests.remote.scripts import counting, spec
from tests.sshd.netns import Village
from tests.sshd.server import Sshd, User
from tests.trials import trials
from tests.waiting import wait_until

SHOWN_S = 10.5  # with the default timings
HEALED_S = 2.0  # median
AT_ONCE, ROUNDS = trials(2, 10), trials(1, 10)
TIMINGS = (QUICK, Timings())[trials(0, 1)]
BOUND_S, MENDED_S = (math.inf, math.inf) if TIMINGS is QUICK else (SHOWN_S, HEALED_S)
"""Seconds are the business of `make chaos`: in the suite others share the cores."""
Record = Callable[[str, object], None]


def silence(session: Session, begin: Callable[[], None], end: Callable[[], None]) -> tuple[float, float]:
    """Seconds until a partition is shown, and from its end until the link is up again."""
    begin()
    began = time.monotonic()
    wait_until(lambda: not session.link.is_up, 30.0, "the partition to be shown")
    shown = time.monotonic() - began
    assert session.link.phase in ("lost", "retrying", "connecting")
    end()
    healed = time.monotonic()
    wait_until(lambda: session.link.is_up, 30.0, "the link to be up again")
    return shown, time.monotonic() - healed


@pytest.mark.chaos
@pytest.mark.claim("silent partition: shown within 10.5 s, connected again within 2 s of its end (median)")
@pytest.mark.timeout(900)
def test_a_silent_partition_is_shown_and_mended_in_time(
    make_box: Callable[..., Box], record_property: Record
) -> None:
    times: list[tuple[float, float]] = []
    boxes = [make_box(f"box{n}", apart=True) for n in range(AT_ONCE)]
    sessions = [connect(box.host, timeout=20.0, timings=TIMINGS) for box in boxes]

    def tried(n: int) -> None:
        times.append(silence(sessions[n], boxes[n].road.pause, boxes[n].road.resume))

    try:
        for _ in range(ROUNDS):
            threads = [threading.Thread(target=tried, args=(n,)) for n in range(AT_ONCE)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    finally:
        for session in sessions:
            session.close()
    record_property("trials", len(times))
    slowest, median = max(shown for shown, _ in times), statistics.median(healed for _, healed in times)
    record_property(
        "figure", f"shown after {slowest:.1f} s at most, back {median:.2f} s after it healed (median)"
    )
    assert len(times) == AT_ONCE * ROUNDS
    assert slowest <= BOUND_S
    assert median <= MENDED_S


@pytest.mark.chaos
@pytest.mark.claim("packets dropped on a cable between two network namespaces: shown, mended, no line lost")
@pytest.mark.timeout(300)
def test_a_cut_cable_is_shown_and_every_line_comes_when_it_is_mended(
    town: Village, start_sshd: Callable[..., Sshd], record_property: Record
) -> None:
    sshd = start_sshd([User("plain")], name="far", prefix=town.jump.prefix, address=town.jump.address)
    host = sshd.host("plain", name="far")
    sshd.place(host)
    with connect(host, timeout=20.0, timings=TIMINGS) as session:
        lines = trials(150, 4000)
        args = {"start_id": "s1", "spec": spec(counting(lines, 0.02)).to_json()}
        run_id = call(session, "start", args, 20.0)["run_id"]
        session.follow(run_id)
        mirror = Mirror(session)
        mirror.until(mirror.size, what="a line")
        for _ in range(trials(1, 3)):
            shown, _ = silence(session, town.jump.partition, town.jump.heal)
            assert shown <= BOUND_S
        mirror.until_end(timeout=200.0)
    assert mirror.size("001.log") == sum(len(f"line {n}\n") for n in range(lines))
    record_property("trials", trials(1, 3))


def test_a_link_on_which_nothing_is_wrong_is_not_lost(box: Box) -> None:
    """The control: the same detector, no partition."""
    with box.session() as session:
        mirror = Mirror(session)
        pings = box.road.to_target
        mirror.until(lambda: box.road.to_target > pings + 500, what="a few pings")
        assert session.link.phase == "connected"
        assert not [phase for phase, _ in mirror.phases if phase not in ("connecting", "connected")]


def test_a_slow_link_lags_and_is_not_lost(make_box: Callable[..., Box]) -> None:
    box = make_box(delay_s=0.0)
    with box.session(replace(QUICK, lost_s=5.0)) as session:
        box.road.delay_s = 0.35
        wait_until(lambda: session.link.phase == "lagging", 10.0, "the lag to be shown")
        pings = box.road.to_client
        wait_until(lambda: box.road.to_client > pings + 400, 20.0, "pongs")
        assert session.link.is_up
