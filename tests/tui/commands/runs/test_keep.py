"""Runs as things one keeps, as a person types it: on this machine and on a host over SSH."""

import os
from pathlib import Path
from typing import Any

import pytest

from remote.actions.kept.keep import label_run
from remote.hosts.host import Host
from remote.hosts.hosts_edit import add_hosts
from remote.protocol.errors import CallError
from tests.remote.finished_runs import finish, run_id_of
from tests.sshd.server import Sshd
from tests.tui.commands.conftest import Photinus
from trainer.run.layout import RunDir
from trainer.run.states import State


@pytest.fixture
def box(sshd: Sshd) -> Host:
    host = sshd.host("plain", name="box")
    sshd.place(host)
    add_hosts([host])
    return host


def filled(root: Path, count: int) -> list[RunDir]:
    """Runs that are over, the oldest first."""
    states = [State.SUCCEEDED, State.FAILED, *[State.SUCCEEDED] * count]
    return [
        finish(root, run_id_of(n), ended=1e9 + n, state=states[n], name=f"run {n}", resume_argv=["true"])
        for n in range(count)
    ]


def listed(photinus: Photinus, host: str, *words: str) -> list[str]:
    return [row["run_id"] for row in photinus("ls", "--host", host, "--json", *words).json]


def test_over_ssh_a_run_leaves_and_comes_back(photinus: Photinus, box: Host, sshd: Sshd) -> None:
    a, b = (run.run_id for run in filled(sshd.home("plain") / ".photinus", 2))
    assert photinus("tag", f"box:{a}", "sweep", "--json").json["tags"] == ["sweep"]
    assert listed(photinus, "box", "--tag", "sweep") == [a]
    assert photinus("archive", f"box:{a}", "--json").json["where"] == "archive"
    assert photinus("rm", "--host", "box", "--every", "--yes", "--json").json[0]["run_id"] == b
    assert listed(photinus, "box") == []
    back = photinus("restore", f"box:{a}", f"box:{b}", "--json").json
    assert [(row["host"], row["state"]) for row in back] == [("box", "succeeded"), ("box", "failed")]
    assert listed(photinus, "box") == [b, a]


def test_what_fits_is_listed_and_asked_about_once(photinus: Photinus) -> None:
    a, b = (run.run_id for run in filled(Path(os.environ["PHOTINUS_HOME"]), 2))
    assert photinus("tag", a, "größe").out == f"{a}  run 0  [größe]\n"
    header, *rows = photinus("ls", "--sort", "name").out.splitlines()
    assert header.split()[:2] == ["RUN", "STATE"]
    assert [row.split()[0] for row in rows] == [a, b]
    assert "run 0 [größe]" in rows[0]
    assert "(as planned)" in rows[1]
    unsure = photinus("rm", "--state", "failed")
    assert (unsure.code, b in unsure.err, "--yes" in unsure.err) == (3, True, True)
    assert photinus("rm", "--tag", "nobody").code == 6
    assert photinus("rm").code == 2


def test_what_cannot_be_a_word_about_a_run_is_said_before_a_host_is_asked(photinus: Photinus) -> None:
    for words in (
        ("start", "--tag", "a b", "--command", "--", "true"),
        ("ls", "--host", "local", "--tag", "a,b"),
    ):
        said = photinus(*words)
        assert (said.code, "is no tag" in said.err, "without blanks and commas" in said.err) == (
            2,
            True,
            True,
        )
    for act in ("kill", "stop", "rm", "archive", "ls"):
        said = photinus(act, "--state", "nosuch", "--host", "local")
        assert (said.code, "there is no state 'nosuch'" in said.err) == (2, True), act
        assert "running, stopping" in said.err
    asked: Any = None  # nobody is
    for wrong in ({"add": ["x" * 41]}, {"remove": [""]}, {"name": "x" * 201}, {"note": "x" * 2001}):
        with pytest.raises(CallError) as caught:
            label_run(asked, "old-aaaaaa", **wrong)
        assert (caught.value.code, bool(caught.value.remedy)) == ("bad_request", True)
