"""`ls` of a long history, and what it says of what it does not list; names, as every command takes them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from remote.protocol.errors import CallError
from remote.protocol.views import RunView
from remote.session.session import Session
from tests.remote.calling import call
from tests.remote.conftest import end_everything
from tests.remote.finished_runs import finish, history, run_id_of
from tests.remote.old_agent import OldAgent
from tests.remote.scripts import QUIET, spec
from tests.sshd.client import Laptop
from tests.tui.commands.conftest import Photinus
from trainer.run.layout import RunDir
from tui.commands.find_run import find_view
from tui.commands.host_session import LAST_FOR_A_ROW
from tui.commands.listed_runs import ListedRuns, list_runs


@pytest.fixture
def root(laptop: Laptop) -> Iterator[Path]:
    yield laptop.root
    end_everything(laptop.root)


def test_a_part_of_the_list_says_that_it_is_one(root: Path, photinus: Photinus) -> None:
    ids = history(root, 23)
    for as_json in ((), ("--json",)):
        part = photinus("ls", *as_json)
        assert part.code == 0
        assert [run_id in part.out for run_id in ids] == [True] * 20 + [False] * 3
        assert "3 more runs that are over are not listed: photinus ls --all lists them" in part.err
    assert [row["run_id"] for row in photinus("ls", "--last", "2", "--json").json] == ids[:2]
    whole = photinus("ls", "--all", "--json")
    assert [row["run_id"] for row in whole.json] == ids
    assert whole.err == ""


def test_what_cannot_be_read_is_told_and_the_rest_is_listed(root: Path, photinus: Photinus) -> None:
    ids = history(root, 4)
    RunDir(root / "runs" / ids[1]).spec.write_text('{"of a later version": 1}')
    RunDir(root / "runs" / ids[2]).state.write_text("{torn")
    listed = photinus("ls", "--json")
    assert [row["run_id"] for row in listed.json] == [ids[0], ids[3]]
    assert f"local: cannot be read: {ids[1]}" in listed.err
    assert f"local: cannot be read: {ids[2]}" in listed.err
    assert "photinus doctor --host local" in listed.err
    for run_id, why in ((ids[1], "of a later version"), (ids[2], "not JSON")):
        shown = photinus("show", run_id)
        assert shown.code != 6  # it is there
        assert why in shown.err


def test_steps_that_a_log_announces_once_are_found_before_its_end(root: Path, photinus: Photinus) -> None:
    more = ", It/sec 2.000, Tokens/sec 512.5, Trained Tokens 2560, Peak mem 9.1 GB" + " " * 120
    rows = "".join(f"Iter {n}: Train loss 3.5, Learning Rate 1.0e-05{more}\n" for n in range(1, 201))
    assert len(rows) > LAST_FOR_A_ROW, "the end alone does not have it"
    for number, head in enumerate(("Starting training..., iters: 200\n", "")):
        finish(root, run_id_of(number)).log(1).write_text(head + rows)
    found = {row["run_id"]: (row["step"], row["max_steps"]) for row in photinus("ls", "--json").json}
    assert found == {run_id_of(0): (200, 200), run_id_of(1): (200, None)}


def test_a_list_without_a_rest_says_nothing_more(root: Path, photinus: Photinus) -> None:
    history(root, 3)
    assert photinus("ls").err == ""


def test_every_command_takes_a_name(root: Path, photinus: Photinus) -> None:
    finish(root, run_id_of(1, "ks"), name="ks")
    finish(root, run_id_of(2, "ksr"), name="ksr")
    finish(root, run_id_of(3, "gr-e"), name="Größe 訓練")
    for command, name in (("show", "ks"), ("stop", "Größe 訓練"), ("kill", "ks")):
        said = photinus(command, name)
        assert (said.code, said.out.startswith(run_id_of(1, "ks") if name == "ks" else "gr-e-")) == (0, True)
    for command in ("tail", "events"):
        assert photinus(command, "ks").code == 0
    assert photinus("stop", "nobody").code == 6
    both = photinus("kill", "k")
    assert both.code == 2
    assert "'k' is the beginning of 2 runs" in both.err
    assert f"{run_id_of(2, 'ksr')} (succeeded)" in both.err


def test_a_name_with_the_sign_of_a_host_is_a_name_where_no_host_is_called_so(
    root: Path, photinus: Photinus
) -> None:
    finish(root, run_id_of(1, "lr-0-1"), name="lr:0.1")
    finish(root, run_id_of(2, "a-b"), name="a/b")
    assert run_id_of(1, "lr-0-1") in photinus("show", "lr:0.1").out
    assert run_id_of(2, "a-b") in photinus("show", "local:a/b").out
    unknown = photinus("show", "studoi:run")
    assert (unknown.code, "studoi" in unknown.err) == (6, True)


def test_the_beginning_that_a_tail_leaves_out_is_told(root: Path, photinus: Photinus) -> None:
    run = finish(root, run_id_of(1))
    run.log(1).write_text("first\n" * 20_000)
    run.log(2).write_text("second\n" * 20_000)
    part = photinus("tail", run.run_id)
    assert len(part.out) <= 65536
    assert "194 kB before this are left out: --all prints everything" in part.err
    whole = photinus("tail", run.run_id, "--all")
    assert whole.out == "first\n" * 20_000 + "second\n" * 20_000
    assert whole.err == ""


@pytest.fixture
def old(root: Path) -> Iterator[Session]:
    with Session(opener=OldAgent, history=0) as session:
        session.wait_connected(20.0)
        yield session


def test_an_agent_of_the_version_before_is_understood(root: Path, old: Session) -> None:
    ids = history(root, 3, name="old one")
    live = RunView.from_json(
        call(old, "start", {"start_id": "s1", "spec": spec(QUIET).to_json() | {"name": "Größe"}})
    ).run_id
    listed = list_runs(old)
    assert [view.run_id for view in listed.views] == [live, *ids]
    assert list(listed.remarks("local")) == []
    assert find_view(old, "Größe").run_id == live
    assert find_view(old, ids[1]).run_id == ids[1]
    with pytest.raises(CallError, match="is the name of 3 runs"):
        find_view(old, "old one")


def test_what_an_older_agent_leaves_out_is_told() -> None:
    (said,) = ListedRuns((), left_out=355, is_by_choice=False).remarks("box")
    assert "box: 355 more runs did not fit" in said
    assert "photinus hosts deploy box" in said
