"""Some trainings finish on the first signal and end on the second: a stop may send it again, or another."""

from tests.remote.supervisor.stage import Stage, ask, state_of, until_over, until_said
from tests.waiting import wait_until
from trainer.run.control import pending, put_request
from trainer.run.layout import RunDir
from trainer.run.states import State

TWICE = (
    "import signal, sys, time\n"
    "count = 0\n"
    "def got(number, _):\n"
    "    global count\n"
    "    count += 1\n"
    "    print('got', signal.Signals(number).name, flush=True)\n"
    "    if count == 2: sys.exit(0)\n"
    "signal.signal(signal.SIGTERM, got)\n"
    "signal.signal(signal.SIGINT, got)\n"
    "print('ready', flush=True)\n"
    "while True: time.sleep(60)"
)


def stubborn(stage: Stage) -> RunDir:
    run = stage.python(TWICE)
    stage.begin(run)
    until_said(run, "ready")
    ask(run, "stop")
    until_said(run, "got SIGTERM")
    return run


def test_again_sends_the_signal_once_more(stage: Stage) -> None:
    run = stubborn(stage)
    ask(run, "stop", "req-2", again=True)
    assert until_over(run).state is State.STOPPED
    assert run.log(1).read_text().count("got SIGTERM") == 2


def test_another_signal_may_be_named(stage: Stage) -> None:
    run = stubborn(stage)
    ask(run, "stop", "req-2", signal="SIGINT")
    assert until_over(run).state is State.STOPPED
    assert "got SIGINT" in run.log(1).read_text()


def test_the_first_stop_may_name_its_signal_and_sends_that_alone(stage: Stage) -> None:
    run = stage.python(TWICE)
    stage.begin(run)
    until_said(run, "ready")
    ask(run, "stop", signal="SIGINT")
    until_said(run, "got SIGINT")
    assert "SIGTERM" not in run.log(1).read_text()
    ask(run, "kill", "req-2")
    until_over(run)


def test_control_two_operators_share_one_stop(stage: Stage) -> None:
    run = stubborn(stage)
    ask(run, "stop", "req-2", by="another")
    wait_until(lambda: "req-2" in run.supervisor_log.read_text(), 10.0, "the second request to be taken")
    assert state_of(run) is State.STOPPING
    assert run.log(1).read_text().count("got") == 1
    ask(run, "kill", "req-3")
    assert until_over(run).state is State.FAILED


def test_a_request_with_a_signal_that_is_none_is_nobodys(stage: Stage) -> None:
    run = stage.python("import time; time.sleep(60)")
    stage.begin(run)
    request = ask(run, "stop", "odd", signal="SIGKILL")
    assert pending(run, request.attempt, request.token) == []
    assert not put_request(run, request)
    ask(run, "kill", "req-2")
    assert until_over(run).reason == "killed by operator"
