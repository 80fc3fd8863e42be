"""Two healthy live runs beside one whose folder was damaged: they are listed, stopped and killed."""

import json
import os
import random
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from remote.actions import kill_run, stop_run
from remote.agent.checkup import checkpoints, files
from remote.agent.checkup.doctor import examine
from remote.agent.context import Context
from remote.protocol.finding import Finding
from remote.session.session import Session, connect
from tests.remote.damage import Damage, damage
from tests.remote.raw_agent import RawAgent
from tests.remote.scripts import BRIEF, spec
from tests.remote.transfer.saved import save
from tests.trials import trials
from tests.waiting import wait_until
from trainer.run.home import open_home
from trainer.run.layout import RunDir
from trainer.run.records import ExitRecord, read_state, write_exit, write_hello
from tui.cli import main

COUNT = trials(18, 200)
EACH = trials(9, 1)  # after so many damages both healthy runs are ended and replaced
EVENT = '{"type":"metrics","seq":%d,"attempt":1,"t":5.0,"step":%d,"ce":2.5}\n'
Agents = Callable[..., RawAgent]


def start(agent: RawAgent, **more: Any) -> str:
    one = spec(shared_device=True, **more)
    answer = agent.ask("start", {"start_id": one.run_id, "spec": one.to_json()})
    assert "result" in answer, answer
    return one.run_id


def make_victim(home: Path, agent: RawAgent) -> RunDir:
    """A run that is over, with every record that a run can have."""
    run = open_home(home).run(start(agent, code=BRIEF))
    wait_until(lambda: is_over(home, run.run_id), 30.0, "the victim's end")
    token = json.loads(run.process.read_bytes())["token"]
    write_hello(run, 1, token, 4711)
    write_exit(run, ExitRecord(attempt=1, token=token, outcome="succeeded", at=time.time()))
    run.events.write_text("".join(EVENT % (n, n) for n in range(1, 4)))
    save(run, 10, {"model.safetensors": b"weights" * 9}, 2.5, tokens=1, parent="")
    return run


def told(home: Path) -> list[Finding]:
    return examine(Context.of(open_home(home)), checks=(files.check, checkpoints.check))


def is_named(made: Damage, run: RunDir, found: list[Finding]) -> bool:
    """Whether the doctor says of the damage which file it is and what to do about it."""
    name = "events" if made.file == "events.jsonl" else made.file.rsplit("/", 1)[-1]
    if made.file.startswith("checkpoints/"):
        name = "step-00000010"
    return any(
        run.run_id in one.what + one.about and name in one.what and one.remedy
        for one in found
        if one.level != "note" or "events" in name
    )


def is_over(home: Path, run_id: str) -> bool:
    state = read_state(open_home(home).run(run_id))
    return state is not None and state.is_terminal


def by_session(home: Path, stopped: str, killed: str) -> None:
    with connect() as session:
        assert stop_run(session, stopped).ok
        assert kill_run(session, killed).ok


def by_command(home: Path, stopped: str, killed: str) -> None:
    assert main(["stop", stopped]) == 0
    assert main(["kill", killed]) == 0


def by_hand(home: Path, stopped: str, killed: str) -> None:
    agent = RawAgent()
    try:
        agent.greet()
        for verb, run_id in (("stop", stopped), ("kill", killed)):
            answer = agent.ask(verb, {"run_id": run_id, "req_id": f"r-{run_id}", "by": "test"})
            assert "result" in answer, answer
    finally:
        agent.close()


CLIENTS = (by_session, by_command, by_hand)


@pytest.mark.chaos
@pytest.mark.claim(
    "a damaged run folder: the runs beside it are listed, stopped, killed; the damage is named"
)
@pytest.mark.timeout(3000)
def test_damage_of_one_run_stays_in_its_folder(
    home: Path, raw_agent: Agents, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    agent = raw_agent()
    agent.greet()
    victim = make_victim(home, agent)
    assert not [one for one in told(home) if one.level != "note"], "the control: a whole run is in peace"
    whole = tmp_path / "whole"
    shutil.copytree(victim.path, whole, symlinks=True)
    healthy = [start(agent), start(agent)]
    for trial in range(COUNT):
        shutil.rmtree(victim.path)
        shutil.copytree(whole, victim.path)
        made = damage(victim.path, random.Random(trial))
        agent.ask("ping", {"n": trial})  # or it leaves after a minute
        listing = agent.ask("runs")["result"]
        states = {row["run_id"]: row["state"] for row in listing["runs"]}
        assert [states.get(run_id) for run_id in healthy] == ["running"] * 2, (trial, made, listing)
        found = told(home)
        assert is_named(made, victim, found) or not made.is_certain, (trial, made, found)
        assert not any("could not look" in one.what for one in found), (trial, made, found)
        if trial % EACH == EACH - 1:
            CLIENTS[trial % 3 if EACH == 1 else trial // EACH % 3](home, *healthy)
            for run_id in healthy:
                wait_until(partial(is_over, home, run_id), 30.0, f"{run_id} {trial} {made}")
            healthy = [start(agent), start(agent)]
    record_property("trials", COUNT)


def test_a_row_that_cannot_be_read_is_told_with_its_run_by_every_listing(
    home: Path, session: Session, raw_agent: Agents, capsys: pytest.CaptureFixture[str]
) -> None:
    agent = raw_agent()
    agent.greet()
    victim = make_victim(home, agent)
    victim.state.unlink()
    os.mkfifo(victim.state)
    (trouble,) = agent.ask("runs")["result"]["troubles"]
    assert victim.run_id in trouble
    assert "FIFO" in trouble
    capsys.readouterr()
    assert main(["ls"]) == 0
    assert victim.run_id in capsys.readouterr().err
    victim.state.unlink()
    shutil.copy(victim.path / "spec.json", victim.state)  # the control: another record
    (trouble,) = agent.ask("runs")["result"]["troubles"]
    assert "FIFO" not in trouble
