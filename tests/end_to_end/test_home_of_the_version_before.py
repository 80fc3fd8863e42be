"""A state root that version 0.1.0 left behind: finished, stopped with a checkpoint, held, dead and queued.

`homes/home-0.1.0.tar.gz` was made by that version's own commands; places of the machine that made it are
marks in the text of its files, filled in here.
"""

import json
import tarfile
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Operator
from tests.waiting import wait_until

ARCHIVE = Path(__file__).with_name("homes") / "home-0.1.0.tar.gz"
MARK = "@PLACE@"


@pytest.fixture
def old(operator: Operator) -> dict[str, str]:
    """The home, laid where the operator looks for it: name of a run -> its id."""
    place = operator.home.parent
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(place, filter="data")
    (place / "place" / "home").rename(operator.home)
    operator.home.chmod(0o700)
    for path in operator.home.rglob("*"):
        if path.is_dir():
            path.chmod(0o700)
        elif path.suffix in (".json", ".jsonl", ".log") and "checkpoints" not in path.parts:
            path.write_text(path.read_text("utf-8").replace(MARK, str(place)), "utf-8")
            path.chmod(0o600)
    specs = (json.loads((run / "spec.json").read_text()) for run in (operator.home / "runs").iterdir())
    return {spec["name"]: spec["run_id"] for spec in specs}


def test_every_old_run_is_listed_and_opened_and_the_living_are_known_to_be_dead(
    operator: Operator, old: dict[str, str]
) -> None:
    assert set(old) == {"finished", "stopped", "held", "dead", "queued"}
    rows = {row["run_id"]: row for row in operator.do("ls")}
    assert set(rows) == set(old.values())
    states = {name: operator.show(run_id)["state"] for name, run_id in old.items()}
    assert states["finished"] == "succeeded"
    assert states["stopped"] == "stopped"
    assert states["held"] in ("died", "died_reboot")
    assert states["dead"] in ("died", "died_reboot")
    assert operator.show(old["finished"])["step"] == 20


def test_an_old_queued_run_has_its_turn(operator: Operator, old: dict[str, str]) -> None:
    operator.do("ls")
    wait_until(lambda: operator.state(old["queued"]) == "succeeded", 50.0, "the run that waited")


def test_an_old_stopped_run_goes_on_from_its_checkpoint_and_is_stopped(
    operator: Operator, old: dict[str, str]
) -> None:
    run_id = old["stopped"]
    saved = operator.show(run_id)["last_checkpoint"]["step"]
    assert saved > 0
    operator.do("resume", run_id, "--wait", "running")
    began = operator.wait_for_event(run_id, "hello", attempt=2)
    assert began["attempt"] == 2
    assert operator.wait_for_event(run_id, "metrics", attempt=2)["step"] > saved
    stopped = operator.do("stop", run_id)
    assert stopped["state"] == "stopped"
    assert operator.show(run_id)["last_checkpoint"]["step"] > saved


def test_an_old_checkpoint_is_pulled_and_proven(operator: Operator, old: dict[str, str]) -> None:
    target = operator.home.parent / "here"
    operator.do("pull", old["finished"], "--to", str(target), "--all")
    assert [path.name for path in target.rglob("model.safetensors")] == ["model.safetensors"]
