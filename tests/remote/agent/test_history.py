"""Thousands of runs that are over: what lives comes first, and nobody waits for the rest."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from remote.agent.context import Context
from remote.agent.find import find
from remote.agent.processes.orphans import members
from remote.agent.run_views import Views
from remote.agent.starts.restart import Restarts
from remote.protocol.arguments import FindArgs
from remote.protocol.errors import CallError
from remote.protocol.messages import LINE_LIMIT, PROTO, RunView
from remote.session.session import Session, connect
from remote.session.updates import RunsSeen
from tests.remote.calling import call
from tests.remote.finished_runs import finish, history, run_id_of
from tests.remote.raw_agent import RawAgent
from tests.remote.scripts import QUIET, spec
from tests.waiting import wait_until
from trainer.run.home import open_home
from trainer.run.layout import RunDir
from trainer.run.locks import Flock
from trainer.run.process.process_record import RUN_DIR_VARIABLE, ProcessRecord
from trainer.run.run_errors import RunError
from trainer.run.states import State
from tui.commands.listed_runs import list_runs

LONG = "\N{MATHEMATICAL DOUBLE-STRUCK CAPITAL X}" * 4000  # as long as a name may be: 48 kB on the wire
Agents = Callable[..., RawAgent]


def ids_of(answer: dict[str, Any]) -> list[str]:
    return [row["run_id"] for row in answer["runs"]]


def test_hello_and_the_host_itself_wait_for_no_run(home: Path, raw_agent: Agents) -> None:
    """A folder that would hold up whoever reads it: hello was answered before anybody looked."""
    run = finish(home, run_id_of(1))
    run.state.unlink()
    os.mkfifo(run.state)
    agent = raw_agent()
    agent.hear()
    agent.say("hello", {"proto": list(PROTO), "version": "0", "client": "test"})
    wait_until(lambda: select.select([agent.stdout], [], [], 0)[0], 20.0, "its answer")
    assert agent.hear()["result"]["host_id"]


def test_pages_tell_every_run_once_those_that_ended_last_first(home: Path, raw_agent: Agents) -> None:
    ids = history(home, 25)
    agent = raw_agent()
    agent.greet()
    live = agent.ask("start", {"start_id": "s1", "spec": spec(QUIET).to_json()})["result"]["run_id"]
    found: list[str] = []
    skip, left = 0, []
    while True:
        page = agent.ask("runs", {"finished": 10, "skip": skip})["result"]
        found += ids_of(page)
        left.append(page["left_out"])
        assert (page["live"], page["finished"]) == (1, 25)
        if not page["next"]:
            break
        skip = page["next"]
    assert found == [live, *ids]
    assert left == [15, 5, 0]
    only_live = agent.ask("runs", {"finished": 0})["result"]
    assert (ids_of(only_live), only_live["left_out"]) == ([live], 25)


def test_a_client_of_the_version_before_gets_what_lives_first(home: Path, raw_agent: Agents) -> None:
    """It asks without a word more, and its answer is one line: an old live run stands in it."""
    agent = raw_agent()
    agent.greet()
    asked = spec(QUIET).to_json() | {"created": 1.0}
    live = agent.ask("start", {"start_id": "s1", "spec": asked})["result"]["run_id"]
    ids = history(home, 40, name=LONG)
    answer = agent.ask("runs")["result"]
    assert ids_of(answer)[0] == live
    assert ids_of(answer)[1:] == ids[: len(answer["runs"]) - 1]
    assert 0 < answer["left_out"] == 41 - len(answer["runs"])
    assert len(json.dumps(answer)) <= LINE_LIMIT


def test_a_run_whose_words_are_endless_is_told_and_hides_no_other(home: Path, raw_agent: Agents) -> None:
    endless: dict[str, Any] = {"name": LONG, "preset": LONG, "by": LONG}
    finish(home, run_id_of(1), **endless)
    finish(home, run_id_of(2), state=State.QUEUED, **endless)
    finish(home, run_id_of(3))
    agent = raw_agent()
    agent.greet()
    for args in ({}, {"finished": 10}):
        answer = agent.ask("runs", args)["result"]
        assert ids_of(answer) == [run_id_of(3)]
        assert (answer["left_out"], answer["troubled"]) == (0, 2)
        assert all("make a view of more than" in trouble for trouble in answer["troubles"])


def test_a_run_that_ends_or_goes_on_changes_its_place(home: Path, raw_agent: Agents) -> None:
    (old,) = history(home, 1)
    agent = raw_agent()
    agent.greet()
    live = agent.ask("start", {"start_id": "s1", "spec": spec(QUIET).to_json()})["result"]["run_id"]
    assert ids_of(agent.ask("runs", {"finished": 1})["result"]) == [live, old]
    agent.ask("kill", {"run_id": live, "req_id": "r1"})
    wait_until(lambda: agent.ask("run", {"run_id": live})["result"]["state"] == "failed")
    answer = agent.ask("runs", {"finished": 1})["result"]
    assert (ids_of(answer), answer["live"], answer["left_out"]) == ([live], 0, 1)


def test_what_another_agent_resumes_is_pushed_to_every_client(home: Path, raw_agent: Agents) -> None:
    """Its folder is old: only its state tells."""
    (old,) = history(home, 1, resume_argv=["/bin/sleep", "60"])
    watcher, actor = raw_agent(), raw_agent()
    for agent in (watcher, actor):
        agent.greet()
        agent.ask("runs")
    actor.ask("resume", {"start_id": "s1", "run_id": old})
    while (message := watcher.hear()).get("event") != "state" or message["run"]["run_id"] != old:
        pass
    assert not RunView.from_json(message["run"]).is_terminal


def found(ctx: Context, name: str) -> tuple[list[str], str, int]:
    """What `find` says at the end of its work."""
    work = find(ctx, FindArgs(name=name))
    while True:
        try:
            next(work)
        except StopIteration as done:
            answer = done.value
            return [view.run_id for view in answer.runs], answer.by, answer.count


def test_a_whole_id_needs_no_list(home: Path) -> None:
    ids = history(home, 3)
    ctx = Context.of(open_home(home))
    assert found(ctx, ids[1]) == ([ids[1]], "id", 1)
    assert not ctx.index.is_whole  # nobody looked at the others
    assert found(ctx, ids[1][:-1])[1:] == ("beginning", 3)
    assert ctx.index.is_whole


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("ks", (["ks-aaaaab"], "name", 1)),  # and not the beginning of three
        ("ks-a", (["ks-aaaaab"], "beginning", 1)),
        ("ksr", (["ksr-aaaaac"], "name", 1)),
        ("k", (["ksr2-aaaaad", "ksr-aaaaac", "ks-aaaaab"], "beginning", 3)),
        ("devA", (["deva-aaaaae"], "name", 1)),
        ("Größe 訓練", (["gr-e-aaaaaf"], "name", 1)),
        ("Gro\u0308ße 訓練", (["gr-e-aaaaaf"], "name", 1)),  # as macOS writes it
        ("Größe", (["gr-e-aaaaaf"], "beginning", 1)),
        ("lr:0.1/a", (["lr-aaaaag"], "name", 1)),
        ("red", (["red-aaaaah"], "name", 1)),  # as it is shown
        ("nobody", ([], "beginning", 0)),
        ("ks-aaaaaz", ([], "beginning", 0)),
        (".*", ([], "beginning", 0)),
    ],
)
def test_a_name_then_a_beginning(home: Path, typed: str, expected: tuple[list[str], str, int]) -> None:
    names = ["ks", "ksr", "ksr2", "devA", "Größe 訓練", "lr:0.1/a", "\x1b[31mred\x1b[0m"]
    slugs = ["ks", "ksr", "ksr2", "deva", "gr-e", "lr", "red"]
    for number, (name, slug) in enumerate(zip(names, slugs, strict=True), 1):
        finish(home, run_id_of(number, slug), name=name, ended=1000.0 + number)
    assert found(Context.of(open_home(home)), typed) == expected


def test_two_runs_of_one_name_are_both_told_the_live_one_first(home: Path) -> None:
    for number, state in enumerate((State.SUCCEEDED, State.QUEUED, State.FAILED)):
        finish(home, run_id_of(number, "twin"), name="twin", state=state, ended=1000.0 + number)
    ids, by, count = found(Context.of(open_home(home)), "twin")
    assert (ids, by, count) == ([run_id_of(n, "twin") for n in (1, 2, 0)], "name", 3)


def test_a_whole_id_is_that_run_even_if_another_one_is_called_so(home: Path) -> None:
    """Scripts end runs by id: no name that somebody chose may turn that on another run."""
    finish(home, run_id_of(1))
    finish(home, run_id_of(2), name=run_id_of(1))
    assert found(Context.of(open_home(home)), run_id_of(1)) == ([run_id_of(1)], "id", 1)


def test_a_run_that_cannot_be_read_is_not_called_unknown(home: Path) -> None:
    ids = history(home, 2)
    RunDir(home / "runs" / ids[1]).spec.write_text('{"of a later version": 1}')
    ctx = Context.of(open_home(home))
    for typed in (ids[1], ids[1][:-1]):
        if typed == ids[1]:
            with pytest.raises(RunError, match="of a later version"):
                found(ctx, typed)
    RunDir(home / "runs" / ids[0]).state.write_text("{torn")
    with pytest.raises(RunError, match=ids[0]):
        found(Context.of(open_home(home)), ids[0])


def test_the_place_in_line_is_told_a_line_for_each_device(session: Session) -> None:
    def start(name: str, **more: Any) -> str:
        args = {"start_id": name, "spec": spec(QUIET, **more).to_json(), "queue": True}
        return str(call(session, "start", args)["run_id"])

    first, second, third = start("a"), start("b"), start("c")
    rows = {row["run_id"]: (row["place"], row["ahead"]) for row in call(session, "runs")["runs"]}
    assert rows == {first: (0, ""), second: (1, ""), third: (2, second)}
    call(session, "stop", {"run_id": second, "req_id": "r1"})
    assert call(session, "run", {"run_id": third})["place"] == 1
    assert session.wait_run(third, lambda view: (view.place, view.ahead) == (1, ""), 20.0) is not None


def test_what_lives_is_told_whole_even_where_it_takes_several_lines(home: Path) -> None:
    """A sweep that waits: more than fits into one answer."""
    for number in range(60):
        finish(home, run_id_of(number), state=State.QUEUED, name=LONG)
    history_ids = [finish(home, run_id_of(number, "over")).run_id for number in range(3)]
    with connect(history=1) as session:
        wait_until(lambda: len(session.known_runs or ()) == 61, 30.0, "all that live, and one of the others")
        (seen,) = [one for one in session.drain() if isinstance(one, RunsSeen)]
        assert (seen.left_out, seen.has_all_live) == (2, True)
        listed = list_runs(session, finished=0)
        assert {view.run_id for view in listed.views} == {run_id_of(number) for number in range(60)}
        assert listed.left_out == len(history_ids)


def test_a_run_that_died_is_asked_once_whether_it_goes_on(home: Path) -> None:
    """After a reboot a sweep has died: not every agent that comes reads all of it again."""
    finish(home, run_id_of(1), state=State.DIED)
    wanted = finish(home, run_id_of(2), state=State.DIED, restart={"policy": "on-failure", "backoff_s": 1e6})
    first = Context.of(open_home(home))
    assert Restarts(first).due() == []
    first.index.close()
    second = Context.of(open_home(home))
    second.index.look_now()
    assert {entry.run_id: entry.is_settled for entry in second.index.newest()} == {
        run_id_of(1): True,
        wanted.run_id: False,
    }


def test_the_empty_name_is_refused(session: Session) -> None:
    for name in ("", "\x1b[0m"):
        with pytest.raises(CallError) as caught:
            call(session, "find", {"name": name})
        assert caught.value.code == "bad_request"


def test_who_lives_is_asked_of_what_lives_and_not_of_every_run_that_is_over(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start looks for orphans: of thousands of runs it reads the records of those that somebody names."""
    ids = history(home, 30)
    asked: list[str] = []
    process = Views.process

    def noting(views: Views, run: RunDir) -> ProcessRecord | None:
        asked.append(run.run_id)
        return process(views, run)

    monkeypatch.setattr(Views, "process", noting)
    ctx = Context.of(open_home(home))
    assert members(ctx) == []
    assert asked == []
    named = {RUN_DIR_VARIABLE: str(home / "runs" / ids[7])}
    somebody = subprocess.Popen([sys.executable, "-S", "-c", QUIET], env={**os.environ, **named})
    with Flock(ctx.home.run(ids[9]).trainer_lock) as lock:
        assert lock.take()
        assert members(Context.of(open_home(home))) == [], "they carry no token"
    somebody.kill()
    somebody.wait()
    assert sorted({*asked}) == sorted([ids[7], ids[9]]), "the control: by environment, and by an open lock"
