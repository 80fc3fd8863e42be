"""The family of a run over hosts, and a branch of it: a part never passes for the whole."""

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from remote.actions.kept import begin_like
from remote.actions.trained.family import Family, gather
from remote.agent.context import Context
from remote.agent.kept.labels import Labels, write_labels
from remote.agent.starts import clone_run
from remote.hosts.host import Host
from remote.hosts.hosts_edit import add_hosts
from remote.protocol.arguments import StartArgs
from remote.protocol.errors import CallError
from remote.protocol.keeping import CloneArgs, KinArgs, KinList, KinRow
from tests.remote.finished_runs import finish, run_id_of
from tests.sshd.server import Sshd
from tests.trainer.run.checkpoints.test_manifest import make
from tests.tui.commands.conftest import Photinus
from tests.tui.fake import view
from trainer.run.checkpoints.manifest import checkpoint_name
from trainer.run.home import open_home
from trainer.run.layout import RunDir
from tui.commands.family import branch

A, B, C, D, E = (run_id_of(number) for number in range(5))
STEP = checkpoint_name(2)
Ask = Callable[[KinArgs], KinList]


def host(**parents: str) -> Ask:
    """A host that has these runs and looks no further than at each by itself."""

    def ask(args: KinArgs) -> KinList:
        told = [
            KinRow(run_id=run_id, name="", state="stopped", parent=parent)
            for run_id, parent in parents.items()
            if run_id in args.above or parent.partition("/")[0] in args.below
        ]
        return KinList(runs=told)

    return ask


def broken(_: KinArgs) -> KinList:
    raise CallError("timeout", "it did not answer", "try again")


def test_each_host_is_asked_again_for_what_another_one_names() -> None:
    asks = {
        "one": host(**{A: "", C: f"{B}/{STEP}", E: f"{A}/{STEP}"}),
        "two": host(**{B: f"{A}/{STEP}", D: f"{C}/{STEP}"}),
        "gone": broken,
    }
    family = gather(asks, C)
    assert family.tree() == [(0, A), (1, B), (2, C), (3, D)]  # and not E, which came from neither
    assert [one.host for one in family.homes(D)] == ["two"]
    assert {name: one.code for name, one in family.silent.items()} == {"gone": "timeout"}
    assert gather({"one": asks["one"]}, C).tree() == [(0, B), (1, C)]  # B is named, and lies nowhere


@pytest.mark.parametrize("parents", [{A: f"{A}/{STEP}"}, {A: f"{B}/{STEP}", B: f"{A}/{STEP}"}])
def test_what_names_itself_as_its_origin_ends(parents: dict[str, str]) -> None:
    assert [run_id for _, run_id in gather({"one": host(**parents)}, A).tree()] == [*parents]


def test_a_host_that_invents_runs_without_end_is_left_alone() -> None:
    numbers = itertools.count(10)

    def ask(args: KinArgs) -> KinList:
        return KinList(
            runs=[
                KinRow(run_id=run_id_of(next(numbers)), name="", state="", parent=f"{one}/{STEP}")
                for one in args.below
                for _ in range(3)
            ]
            + [KinRow(run_id="../etc", name="", state="", parent=f"{A}/{STEP}")]
        )

    found = gather({"one": ask}, A)
    assert ("one", "../etc") not in found.found
    assert len(found.found) < 20_000
    assert Family(A).tree() == [(0, A)]


def kept(root: Path, run_id: str, parent: str = "", **more: Any) -> RunDir:
    run = finish(root, run_id, kind="trainer", parent=parent, argv=[], config={"steps": 4}, **more)
    make(run.checkpoints, 2)
    return run


def test_over_ssh_the_family_is_a_tree_and_who_was_not_asked_is_named(
    photinus: Photinus, sshd: Sshd, tmp_path: Path
) -> None:
    here, box = Path(os.environ["PHOTINUS_HOME"]), sshd.host("plain", name="box")
    again = sshd.host("plain", name="the-box-again")  # one machine under two names is asked once
    for host in (box, again):
        sshd.place(host)
    add_hosts([box, again])
    there = sshd.home("plain") / ".photinus"
    kept(here, A)
    kept(there, B, f"{A}/{STEP}")
    write_labels(kept(here, C, f"{B}/{STEP}"), Labels(archived=1.0))
    kept(there, D, f"{E}/{STEP}")
    whole = photinus("checkpoints", f"box:{B}", "lineage", "--json").json
    assert (whole["partial"], whole["not_asked"]) == (False, [])
    assert [(row["depth"], row["run_id"], row["host"], row["archived"]) for row in whole["runs"]] == [
        (0, A, "local", False), (1, B, "box", False), (2, C, "local", True),
    ]  # fmt: skip
    assert whole["checkpoints"] == [{"depth": 0, "name": STEP, "here": True}]
    add_hosts([Host("gone", "nobody@127.0.0.1:1")])
    part = photinus("checkpoints", A, "lineage")
    assert (part.code, "gone: not asked:" in part.err) == (0, True)
    assert "a part of it: gone could not be asked" in part.out
    assert f"  {B}  box  succeeded  step 2  from {STEP}" in part.out.splitlines()
    assert f"{E}  on no host that was asked" in photinus("checkpoints", f"box:{D}", "lineage").out


def test_a_branch_is_a_start_with_all_that_the_parent_was_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx, sent = Context.of(open_home(tmp_path / "home")), list[StartArgs]()

    def start(_: Context, args: StartArgs) -> Iterator[None]:
        sent.append(args)
        return iter(())

    monkeypatch.setattr(clone_run, "start", start)
    kept(tmp_path / "home", A, preset="gpt-tiny", env={"TOKEN": "x"}, limit_s=60.0)
    finish(tmp_path / "home", B, argv=["true"])
    asked = CloneArgs(
        start_id="t", run_id=A, new_id=C, parent=f"{A}/{STEP}", set_={"steps": 9}, name="further"
    )
    for _ in clone_run.clone(ctx, asked):
        pass
    spec = sent[0].spec
    assert {key: spec[key] for key in ("run_id", "name", "parent", "preset", "env", "limit_s")} == {
        "run_id": C, "name": "further", "parent": f"{A}/{STEP}", "preset": "gpt-tiny", "env": {"TOKEN": "x"},
        "limit_s": 60.0,
    }  # fmt: skip
    assert spec["config"]["steps"] == 9
    with pytest.raises(CallError, match="is a command"):
        next(clone_run.clone(ctx, CloneArgs(start_id="t", run_id=B, new_id=C, parent=f"{B}/{STEP}")))


def test_what_cannot_be_branched_is_said_before_anything_starts(photinus: Photinus) -> None:
    here = Path(os.environ["PHOTINUS_HOME"])
    kept(here, A, name="base")
    finish(here, B, argv=["true"])
    for words, why in {
        (A, "branch"): "begins from one checkpoint",
        (A, "branch", "7"): "has no checkpoint '7'; there are step-00000002",
        (A, "branch", "latest", "--set", "steps=2"): "is at step 2 of 2: no step is left",
        (B, "branch", "2"): "is a command",
        (A, "list", "--name", "x"): "are for branch",
    }.items():
        said = photinus("checkpoints", *words)
        assert (said.code != 0, why in said.err) == (True, True), (words, said)
    assert len(list((here / "runs").iterdir())) == 2


def test_another_device_is_in_the_difference_however_it_was_asked_for(
    photinus: Photinus, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(Path(os.environ["PHOTINUS_HOME"]), A, name="base")
    for words in (("--device", "tpu"), ("--set", "device=tpu")):
        said = photinus("clone", A, "--show", *words)
        assert (said.code, "has no device tpu; it has cpu" in said.err) == (3, True)
    assert photinus("clone", A, "--show", "--json", "--device", "cpu").json["diff"] == []
    monkeypatch.setattr(begin_like, "choose_device", lambda *_: "cpu")
    monkeypatch.setattr(branch, "flat", lambda _: {"device": "cuda-1"})
    monkeypatch.setattr(branch, "begin_like", lambda *_, **asked: view(C, name=asked["device"]))
    for words in (("--device", "cuda:1"), ("--set", "device=cuda:1")):
        said = photinus("checkpoints", A, "branch", "latest", "--json", *words)
        assert said.json["diff"] == [{"key": "device", "a": "cuda-1", "b": "cpu"}]
        assert "device: cuda-1 -> cpu" in said.err


def test_a_run_computes_on_the_device_that_its_clone_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = list[CloneArgs]()

    def ask(_session: object, _verb: object, args: CloneArgs, _timeout: float) -> object:
        sent.append(args)
        return SimpleNamespace(view=view(A))

    monkeypatch.setattr(begin_like, "ask", ask)
    session: Any = SimpleNamespace(host=Host("box"))
    asked = {"config": {"device": "cuda:0", "parallel": {"processes": 2}}}
    for kind, device in (("trainer", "cuda"), ("trainer", ""), ("command", "cuda:1")):
        there = begin_like.other_device(device, {}, asked, ("cpu", "cuda-0", "cuda-1"))
        begin_like.begin_like(session, view(A, kind=kind), {"steps": 9, "device": "auto"}, device=there)
    both, same, command = sent
    assert (both.device, both.set_) == ("cuda-0,cuda-1", {"steps": 9, "device": "cuda:0,cuda:1"})
    assert (same.device, same.set_) == ("", {"steps": 9})
    assert (command.device, command.set_) == ("cuda-1", {"steps": 9})
