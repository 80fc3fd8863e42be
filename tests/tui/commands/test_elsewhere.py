"""Every command with a host that is not this machine."""

import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from remote.actions.intents import intent
from remote.hosts.client_state import make_client_folder
from remote.hosts.host import Host
from remote.hosts.hosts_edit import add_hosts
from remote.protocol.arguments import StartArgs
from remote.protocol.errors import CallError, UnreachableError
from remote.session.last_seen import LastSeen
from tests.remote.scripts import BRIEF, noting, spec
from tests.remote.views import view
from tests.sshd.client import Laptop
from tests.sshd.delay import DelayProxy
from tests.sshd.server import Sshd
from tests.tui.commands.conftest import Photinus
from tests.waiting import wait_until
from trainer.run.disk.atomic import write_json
from tui.commands import every_host
from tui.commands.find_run import elsewhere
from tui.commands.parser import build_parser
from tui.commands.runs import ls_show
from tui.commands.runs.ls_show import hear_all
from tui.commands.runs.start import command_request, trainer_request
from tui.commands.runs.summary import view_fields

PRINT_ENV = "import os; print(os.getcwd(), os.environ.get('ONLY_HERE'), os.environ.get('GIVEN'))"


@pytest.fixture
def box(sshd: Sshd, tmp_path: Path) -> Host:
    host = sshd.host("plain", name="box")
    sshd.place(host)
    add_hosts([host])
    return host


def test_a_run_that_lives_on_another_host_is_pointed_at(laptop: Laptop) -> None:
    add_hosts([Host("box", "me@box")])
    seen = LastSeen(name="box", host_id="id", live={"demo-abcdef": "running"})
    write_json(make_client_folder("seen") / "box.json", asdict(seen))
    assert elsewhere("demo", "local") == ["box:demo-abcdef"]
    assert elsewhere("demo", "box") == elsewhere("other", "local") == []


def test_a_run_is_started_watched_and_stopped_elsewhere(
    box: Host, sshd: Sshd, photinus: Photinus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONLY_HERE", "a secret of this machine")
    (sshd.home("plain") / "work").mkdir()
    words = ["--env", "GIVEN=yes", "--wait", "terminal", "--json", "--command", "--"]
    program = [sys.executable, "-I", "-S", "-c", PRINT_ENV]
    run = photinus("start", "--host", "box", "--cwd", "work", *words, *program)
    assert (run.code, run.json["host"], run.json["state"]) == (0, "box", "succeeded"), run.err
    log = photinus("tail", f"box:{run.json['run_id']}")
    assert log.out == f"{sshd.home('plain')}/work None yes\n", log

    quiet = photinus(
        "start",
        "--host",
        "box",
        "--json",
        "--command",
        "--",
        sys.executable,
        "-S",
        "-c",
        "import time; time.sleep(60)",
    )
    run_id = quiet.json["run_id"]
    assert photinus("show", f"box/{run_id}", "--json").json["state"] == "running"
    assert photinus("show", run_id).code == 6  # no such run on this machine
    ended = photinus("stop", "--host", "box", run_id, "--json")
    assert (ended.code, ended.json["state"]) == (0, "stopped")
    assert photinus("kill", f"box:{run_id}").code == 0
    assert photinus("events", f"box:{run_id}").code == 0
    listed = photinus("ls", "--json").json
    assert {(row["run_id"], row["host"]) for row in listed} == {(run.json["run_id"], "box"), (run_id, "box")}


def test_folders_and_data_are_looked_for_on_the_host(box: Host, sshd: Sshd, photinus: Photinus) -> None:
    nowhere = photinus("start", "--host", "box", "--cwd", "nowhere", "--command", "--", "true")
    assert (nowhere.code, f"{sshd.home('plain')}/nowhere" in nowhere.err) == (3, True)
    args = ("start", "--preset", "kssm-v3-tiny", "--set", "device=cpu", "--host", "box")
    missing = photinus(*args, "--data", "books")
    assert (missing.code, f"{sshd.home('plain')}/books" in missing.err) == (2, True), missing.err


def test_a_request_for_elsewhere_says_nothing_of_this_machine(
    box: Host, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "books").mkdir()
    parse = build_parser().parse_args
    words = ["--preset", "kssm-v3-tiny", "--data", "books", "--set", "device=cpu"]
    here, there = (trainer_request(parse(["start", "--host", name, *words])) for name in ("local", "box"))
    assert (here.config["data"]["source"], here.cwd) == (str(tmp_path / "books"), str(tmp_path))
    assert (there.config["data"]["source"], there.cwd) == ("books", "")
    words = ["--command", "--", "true"]
    here, there = (command_request(parse(["start", "--host", name, *words])) for name in ("local", "box"))
    assert (here.inherit, there.inherit, there.cwd) == (True, False, "")


def test_a_host_that_is_dead_or_silent_delays_no_other_and_is_named_meanwhile(
    box: Host,
    slow_link: Callable[[float], DelayProxy],
    sshd: Sshd,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(every_host, "SILENCE_S", 0.05)
    proxy = slow_link(0.0)
    proxy.pause()
    silent = sshd.host("plain", name="silent", port=proxy.port)
    assert next(hear_all([silent, box], 600.0)) == (box, [])  # the other one says nothing as long as we wait
    ((who, heard),) = hear_all([silent], 0.2)
    assert (who, isinstance(heard, CallError)) == (silent, True)
    assert "waiting for silent, at most 1 s more" in capsys.readouterr().err


def test_a_host_that_asks_something_is_told_how_to_answer_it(
    sshd: Sshd, box: Host, start_sshd: Callable[..., Sshd]
) -> None:
    stranger = start_sshd(name="stranger").host(name="stranger", trusted=False)
    bare = Host("bare", address=box.address)
    heard = dict(hear_all([stranger, bare, box], 60.0))
    assert heard[box] == []
    errors = {host.name: said for host, said in heard.items() if isinstance(said, CallError)}
    assert "then: photinus hosts test stranger --accept-host-key SHA256:" in errors["stranger"].remedy
    assert errors["bare"].remedy == "photinus hosts deploy bare"


@pytest.mark.parametrize("as_json", [True, False])
def test_what_is_unknown_is_told_and_the_rest_is_listed(
    photinus: Photinus, monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    gone, box = Host("gone", "x"), Host("box", "y")
    row = view_fields("box", view()) | {"step": 5}
    heard: list[tuple[Host, list[dict[str, Any]] | CallError]] = [
        (gone, UnreachableError("no route", "wait"))
    ]
    monkeypatch.setattr(ls_show, "load_hosts", lambda: [gone, box])
    monkeypatch.setattr(ls_show, "hear_all", lambda *_: iter(heard))
    words = ["ls", "--json"] if as_json else ["ls"]
    alone = photinus(*words)
    assert (alone.code, alone.err) == (5, "gone: unknown: no route (wait)\n")
    heard.append((box, [row]))
    both = photinus(*words)
    assert (both.code, both.err) == (0, alone.err)
    assert row["run_id"] in both.out
    heard[1] = (box, [])
    assert "no runs on box yet" in photinus("ls").err


def test_a_host_that_is_named_must_answer(box: Host, sshd: Sshd, photinus: Photinus) -> None:
    assert photinus("ls", "--host", "box", "--json").json == []
    assert photinus("ls", "--host", "boxx").code == 6
    add_hosts([Host("bare", box.address)])
    told = photinus("ls", "--host", "bare")
    assert (told.code, "photinus hosts deploy bare" in told.err) == (3, True)


def test_a_start_that_was_never_answered_is_completed_by_the_next_command(
    box: Host, sshd: Sshd, photinus: Photinus, tmp_path: Path
) -> None:
    count = tmp_path / "count"
    args = StartArgs(start_id="s1", spec=spec(noting(count, BRIEF)).to_json())
    with pytest.raises(UnreachableError), intent("box", "start", args):
        raise UnreachableError("the laptop was closed")
    photinus("ls", "--host", "local")
    assert not count.exists()  # it was asked of another host
    assert len(photinus("ls", "--json").json) == 1
    assert len(photinus("ls", "--json", "--host", "box").json) == 1
    wait_until(count.exists, 10.0, "the run")
    assert count.read_bytes() == b"x"
