from remote.session.link.link_state import Pings, Timings, backoff, held_phase

T = Timings()


def test_a_link_that_answers_is_connected_and_shows_its_round_trip() -> None:
    pings = Pings(T, 0.0)
    assert pings.due(0.0) == 1
    assert pings.due(1.0) is None
    pings.pong(1, 0.023)
    assert pings.judge(0.1) == "connected"
    assert pings.rtt_s == 0.023
    assert pings.due(3.0) == 2


def test_silence_is_lagging_after_three_seconds_and_lost_after_nine() -> None:
    pings = Pings(T, 0.0)
    for now in (0.0, 3.0, 6.0):
        pings.due(now)
    assert pings.judge(2.9) == "connected"
    assert pings.judge(3.1) == "lagging"
    assert pings.judge(8.9) == "lagging"
    assert pings.judge(9.0) == "lost"


def test_a_slow_answer_is_lagging_until_a_fast_one() -> None:
    pings = Pings(T, 0.0)
    pings.due(0.0)
    pings.pong(1, 1.4)
    assert pings.judge(1.5) == "lagging"
    pings.due(3.0)
    pings.pong(2, 3.01)
    assert pings.judge(3.1) == "connected"


def test_a_pong_that_nobody_asked_for_proves_nothing() -> None:
    pings = Pings(T, 0.0)
    pings.due(0.0)
    pings.pong(17, 8.0)
    assert pings.judge(9.0) == "lost"


def test_a_client_that_was_stopped_itself_asks_again_before_it_gives_up() -> None:
    pings = Pings(T, 0.0)
    pings.due(0.0)
    assert pings.judge(100.0) == "lost"
    pings.forgive(100.0)
    assert pings.judge(100.0) == "connected"
    assert pings.due(100.0) == 2


def test_backoff_grows_then_is_patient_and_jitters_by_a_tenth() -> None:
    middle = [backoff(T, attempt, 0.0, 0.5) for attempt in (1, 2, 3, 9)]
    assert middle == [0.2, 0.5, 1.0, 1.0]
    assert backoff(T, 400, 301.0, 0.5) == 15.0
    assert backoff(T, 3, 0.0, 0.0) == 0.9
    assert backoff(T, 3, 0.0, 1.0) == 1.1


def test_after_a_sleep_of_our_own_a_silent_link_is_lost_sooner() -> None:
    pings = Pings(T, 0.0)
    pings.due(0.0)
    pings.forgive(100.0, slept=True)
    assert pings.due(100.0) == 2
    assert pings.judge(102.9) == "connected"
    assert pings.judge(103.0) == "lost"
    pings.pong(2, 102.95)
    pings.due(103.0)
    assert pings.judge(111.9) == "lagging", "one answer, and it is as patient as ever"


def test_held_phases_are_named_after_their_errors() -> None:
    assert [held_phase(code) for code in ("key_changed", "needs_passphrase", "need_deploy", "lost")] == [
        "key_changed",
        "needs_passphrase",
        "refused",
        "refused",
    ]
