from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from trainer.run.layout import RunDir
from trainer.run.process.identity import Identity
from trainer.run.process.process_record import ProcessRecord, read_process, write_process
from trainer.run.records import (
    ExitRecord,
    claim_start,
    read_exit,
    read_hello,
    read_spec,
    read_start,
    read_state,
    write_exit,
    write_hello,
    write_spec,
    write_state,
)
from trainer.run.run_errors import RunError, SpecError, StaleWriteError
from trainer.run.spec import Restart, RunSpec
from trainer.run.states import ALLOWED, TERMINAL, State, StateRecord

SPEC = RunSpec(
    run_id="run-aaaaaa",
    name="run",
    kind="command",
    device="cpu",
    argv=("true",),
    env={"A": "b"},
    restart=Restart("always", 2, 0.5),
)
FIRST = StateRecord(run_id="run-aaaaaa", state=State.STARTING, seq=1, attempt=1, since=1.0)


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return RunDir(tmp_path / "run-aaaaaa").create()


def test_spec_comes_back_as_it_was_and_never_changes(run: RunDir) -> None:
    write_spec(run, SPEC)
    assert read_spec(run) == SPEC
    with pytest.raises(SpecError, match="never changes"):
        write_spec(run, replace(SPEC, name="other"))
    assert read_spec(run) == SPEC


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"kind": "dance"}, "kind"),
        ({"argv": []}, "argv"),
        ({"argv": ["a\0b"]}, "NUL"),
        ({"device": "../x"}, "device"),
        ({"run_id": "../x"}, "run id"),
        ({"stop_signal": "SIGUSR1"}, "stop signal"),
        ({"stop_signal": "SIGKILL"}, "stop signal"),
        ({"restart": {"policy": "often"}}, "restart"),
        ({"restart": {"often": 1}}, "malformed"),
        ({"env": {"A=B": "c"}}, "environment"),
        ({"env": {"A": 1}}, "environment"),
        ({"name": 3}, "'name'"),
        ({"colour": "red"}, "colour"),
        ({"kind": "trainer"}, "configuration"),
    ],
)
def test_malformed_spec_is_refused_by_name(change: dict[str, object], why: str) -> None:
    with pytest.raises(SpecError, match=why):
        RunSpec.from_json({**SPEC.to_json(), **change})


def test_state_grows_by_compare_and_set(run: RunDir) -> None:
    assert read_state(run) is None
    write_state(run, 0, FIRST)
    running = replace(FIRST, state=State.RUNNING, seq=2)
    write_state(run, 1, running)
    assert read_state(run) == running
    for previous, record in ((1, replace(running, seq=3)), (2, running), (0, FIRST)):
        with pytest.raises(StaleWriteError, match="seq"):
            write_state(run, previous, record)
    assert read_state(run) == running


def test_states_follow_each_other_as_they_may(run: RunDir) -> None:
    write_state(run, 0, replace(FIRST, state=State.SUCCEEDED))
    with pytest.raises(StaleWriteError, match="may not follow"):
        write_state(run, 1, replace(FIRST, state=State.RUNNING, seq=2))
    write_state(run, 1, replace(FIRST, seq=2, attempt=2))
    with pytest.raises(StaleWriteError, match="derived"):
        write_state(run, 2, replace(FIRST, state=State.UNSUPERVISED, seq=3))


def test_every_state_on_disk_can_end() -> None:
    for state in set(State) - TERMINAL - {State.UNSUPERVISED}:
        reached, todo = set(), [state]
        while todo:
            current = todo.pop()
            reached.add(current)
            todo += [one for one in ALLOWED.get(current, frozenset()) if one not in reached]
        assert reached & TERMINAL


def test_malformed_state_is_an_error_not_a_state(run: RunDir) -> None:
    run.state.write_text('{"run_id": "run-aaaaaa"}')
    with pytest.raises(RunError, match="malformed"):
        read_state(run)


def test_words_of_another_attempt_are_ignored(run: RunDir) -> None:
    write_hello(run, 2, "t", 77)
    word = ExitRecord(attempt=2, token="t", outcome="succeeded", step=9, steps_done=9)
    write_exit(run, word)
    assert read_exit(run, 2, "t") == word
    hello = read_hello(run, 2, "t")
    assert hello is not None
    assert hello.pid == 77
    for attempt, token in ((1, "t"), (3, "t"), (2, "u")):
        assert read_exit(run, attempt, token) is None
        assert read_hello(run, attempt, token) is None


def test_start_id_keeps_what_it_became_first(tmp_path: Path) -> None:
    first, new = claim_start(tmp_path, "s-1", "run-aaaaaa", 1)
    again, repeated = claim_start(tmp_path, "s-1", "other-aaaaaa", 4)
    assert (new, repeated) == (True, False)
    assert again == first == read_start(tmp_path, "s-1")
    assert read_start(tmp_path, "s-2") is None
    with pytest.raises(SpecError, match="start id"):
        claim_start(tmp_path, "../s", "run-aaaaaa", 1)


def test_process_record_comes_back_whole(run: RunDir) -> None:
    assert read_process(run) is None
    me = Identity(5, 6, "boot")
    record = ProcessRecord(attempt=1, token="t", boot_id="boot", supervisor=me)
    write_process(run, record)
    assert read_process(run) == record
    after = replace(record, trainer=Identity(7, 8, "boot"), session=7, adopted=True, started=2.5)
    write_process(run, after)
    assert read_process(run) == after
    run.process.write_text("{}")
    with pytest.raises(RunError, match="malformed"):
        read_process(run)


def test_a_spec_for_an_older_host_holds_nothing_that_it_does_not_know() -> None:
    """Its agent refuses unknown fields: what was added later is sent only where it says something."""
    old: dict[str, Any] = {"policy": "on-failure", "max": 3, "backoff_s": 5.0}
    assert Restart(**old).to_json() == old
    later = Restart("on-failure", on_stall=30.0)
    assert later.to_json() == {**old, "on_stall": 30.0}
    assert Restart(**later.to_json()) == later


@pytest.mark.parametrize(
    "words",
    [
        {"max": -1},
        {"max": 10**9},
        {"max": 1.5},
        {"backoff_s": -1.0},
        {"on_stall": float("nan")},
        {"decay_s": 0},
    ],
)
def test_absurd_restart_policies_are_refused(words: dict[str, Any]) -> None:
    with pytest.raises(SpecError, match=r"restart\."):
        Restart("on-failure", **words).check()
