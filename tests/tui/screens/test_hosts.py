"""Screen 8: hosts are added, tested, deployed to and diagnosed, and nothing of it holds the keyboard."""

import threading
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from remote.hosts.host import Host
from remote.protocol.errors import CallError, ProtocolError
from remote.protocol.results import DoctorAnswer
from remote.protocol.values import read_as
from tests.tui.driving import connected, front, picture, press, settle, toasts
from tests.tui.fake import START, Clock, FakeSession, FakeWork, cockpit, view
from tests.waiting import wait_until
from tui.screens.dialogs.add_host import proposed
from tui.screens.hosts import Hosts
from tui.store.jobs import HostJob, finding_lines, findings
from tui.widgets.panel import Panel
from tui.workers.host_work import HostWork


@pytest.mark.parametrize("size", [(160, 50), (100, 30), (80, 24)])
async def test_work_on_a_host_is_told_line_by_line_and_goes_on_when_the_screen_is_left(
    size: tuple[int, int],
) -> None:
    (local, box), work, clock = connected("box"), FakeWork(), Clock()
    app = cockpit(local, box, work=work, clock=clock)
    async with app.run_test(size=size) as pilot:
        local.connect(view())
        box.link_is("retrying", attempt=2, reason="no route to host", retry_in_s=1.0)
        await settle(pilot, app)
        await press(pilot, app, "8", "down")
        for word in (
            "nothing was begun on box",
            "t   tests the way",
            "D   deploys",
            "d   asks its doctor",
            "n   adds",
        ):
            assert word in picture(app), word
        await press(pilot, app, "t")
        assert "adds a host" not in picture(app)
        (job,) = work.begun
        assert (job.kind, job.host) == ("test", "box")
        job.step(True, "dns", "", ms=3.0)
        job.step(False, "tcp", "no route to host", "is the machine on?", None)
        await settle(pilot, app)
        for word in ("↻ retry 2", "test", "going on", "✔ dns", "✖ tcp", "is the machine on?"):
            assert word in picture(app), word
        await press(pilot, app, "D")
        assert any("test of box is still going on" in toast for toast in toasts(app))
        await press(pilot, app, "1")
        job.end(False, "tcp failed", START + 2)
        await press(pilot, app, "8", "down")
        assert "tcp failed" in picture(app)
        await press(pilot, app, "D")
        assert [job.kind for job in work.begun] == ["test", "deploy"]


async def test_a_host_is_added_from_a_form_connected_and_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    (local,), work = connected(), FakeWork()
    made: list[FakeSession] = []

    def session(host: Host, **_: Any) -> FakeSession:
        made.append(FakeSession(host.name, address=host.address))
        return made[-1]

    monkeypatch.setattr("remote.session.session.Session", session)
    app = cockpit(local, work=work)
    async with app.run_test(size=(100, 30)) as pilot:
        local.connect()
        await settle(pilot, app)
        await press(pilot, app, "8", "n")
        assert front(app) == "AddHost"
        await press(pilot, app, "enter")
        assert front(app) == "AddHost"
        app.screen.query_one("#address", Input).value = "ada@studio.example:2222"
        await settle(pilot, app)
        assert "studio.example: {address: ada@studio.example:2222}" in picture(app)
        work.fault = "hosts.yaml line 3: no"
        await press(pilot, app, "enter")
        assert (made, "hosts.yaml line 3: no" in toasts(app)) == ([], True)
        work.fault = ""
        await press(pilot, app, "n")
        app.screen.query_one("#address", Input).value = "ada@studio.example:2222"
        await press(pilot, app, "enter")
        assert work.added[-1] == Host("studio.example", "ada@studio.example:2222")
        assert made[0].started.is_set()
        screen = app.screen
        assert isinstance(screen, Hosts)
        assert screen.chosen_host() == "studio.example"
        assert [(job.kind, job.host) for job in work.begun] == [("test", "studio.example")]
        made[0].connect(view("far-aaaaaa"))
        await press(pilot, app, "1")
        assert "far-aaaaaa" in picture(app)


WHY = "ada@studio took the key and wants keyboard-interactive as well, which Photinus does not offer"
HELP = "have it take the key alone from this machine: AuthenticationMethods publickey in its sshd_config"


@pytest.mark.parametrize("size", [(160, 48), (120, 40), (80, 24)])
async def test_why_a_host_is_refused_can_be_read_to_its_end_with_what_helps(size: tuple[int, int]) -> None:
    local, box = connected("box")
    app = cockpit(local, box)
    async with app.run_test(size=size) as pilot:
        local.connect()
        box.link_is("refused", reason=WHY, remedy=HELP)
        await settle(pilot, app)
        await press(pilot, app, "8", "down")
        shown = " ".join(picture(app).split())
        words = [word for word in (*WHY.split(), *HELP.split()) if word not in shown]
        assert words == []
        assert "…" not in app.screen.query_one("#about", Panel).text


async def test_a_refusal_raises_one_alert_until_the_link_was_up_again() -> None:
    local, box = connected("box")
    app = cockpit(local, box)
    async with app.run_test(size=(160, 48)) as pilot:
        local.connect()
        box.link_is("refused", reason=WHY, remedy=HELP)
        await settle(pilot, app)
        for phase in ("connecting", "refused"):
            box.link_is(phase, reason=WHY, remedy=HELP)
        await settle(pilot, app)
        alerts = [alert.text for alert in app.store.alerts]
        assert alerts == [f"box is refused: {WHY}. {HELP}"]
        box.connect()
        box.link_is("refused", reason=WHY, remedy=HELP)
        await settle(pilot, app)
        assert len([alert for alert in app.store.alerts if "refused" in alert.text]) == 2
        await press(pilot, app, "8", "down", "enter")
        assert any(HELP in toast for toast in toasts(app))


@pytest.mark.parametrize(
    ("address", "name", "fault"),
    [
        ("", "", "address is needed"),
        ("-oProxyCommand=x", "", "-oProxy"),
        ("box", "a b", "no name"),
        ("LOCAL", "", "there already"),
    ],
)
def test_what_is_wrong_with_a_new_host_is_said(address: str, name: str, fault: str) -> None:
    host, said = proposed(address, name, frozenset({"local"}))
    assert host is None
    assert fault in said


async def test_local_needs_no_deploy_and_a_lost_host_no_doctor() -> None:
    (local, box), work = connected("box"), FakeWork()
    app = cockpit(local, box, work=work)
    async with app.run_test(size=(100, 30)) as pilot:
        local.connect()
        box.link_is("lost", since=START)
        await settle(pilot, app)
        await press(pilot, app, "enter")  # on a host without runs: the host itself
        assert front(app) == "Hosts"
        await press(pilot, app, "D", "down", "d")
        assert work.begun == []
        assert sum("this machine" in toast or "not reachable" in toast for toast in toasts(app)) == 2


def worked(kind: str, session: FakeSession, until: int = 1) -> HostJob:
    """One piece of real work on a thread, to its end."""
    done = threading.Event()
    job = HostJob(kind, "box", START)  # type: ignore[arg-type]
    posted: list[int] = []

    def post(function: Any) -> None:
        function()
        posted.append(1)
        if job.ended is not None:
            done.set()

    work = HostWork({"box": session}, post, lambda: START + 3)  # type: ignore[dict-item]
    getattr(work, kind)(job)
    wait_until(done.is_set)
    return job


def test_long_sentences_of_a_job_go_on_below_themselves() -> None:
    job = HostJob("test", "box", START)
    job.step(False, "auth", WHY, HELP)
    assert all(len(line) <= 64 for line in lines(job))
    assert " ".join(" ".join(lines(job)).split()) == f"✖ auth {WHY} {HELP}"


def finding(level: str, about: str, what: str, why: str = "", remedy: str = "") -> dict[str, str]:
    return {"level": level, "about": about, "what": what, "why": why, "remedy": remedy}


def lines(job: HostJob) -> list[str]:
    return [job.lines.line(number) for number in range(len(job.lines))]


def test_the_doctor_is_told_in_words_the_worst_first() -> None:
    found = [
        finding("note", "disk", "81 GB free"),
        {
            "level": "problem",
            "about": "lock cpu",
            "what": "held by nobody",
            "why": "a fork lives",
            "remedy": "reap it",
        },
    ]
    session = FakeSession("box", address="box")
    session.results["doctor"] = {"findings": found}
    job = worked("doctor", session)
    assert lines(job) == [
        "✖ lock cpu: held by nobody", "    a fork lives", "    on box: reap it",
        "· disk: 81 GB free", "✖ 1 finding",
    ]  # fmt: skip
    session.results["doctor"] = {"findings": found[:1]}
    assert lines(worked("doctor", session))[-1] == "✔ nothing is wrong"
    session.results["doctor"] = {"findings": [{"level": 3}]}
    assert not worked("doctor", session).ok
    session.results["doctor"] = CallError("unknown_verb", "the host is older", "deploy")
    assert lines(worked("doctor", session)) == ["✖ the host is older. deploy"]


def test_steps_and_lines_of_test_and_deploy_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    from remote.actions.connectivity import ConnectivityReport, Step

    def walk(host: Host, heard: Any, *_: Any) -> ConnectivityReport:
        steps = [
            Step(name="dns", ok=True, ms=3.2),
            Step(name="tcp", ok=False, said="refused", remedy="turn it on"),
        ]
        for step in steps:
            heard(step)
        return ConnectivityReport(steps)

    monkeypatch.setattr("remote.actions.connectivity.check_connectivity", walk)
    session = FakeSession("box", address="box")
    assert [text.split() for text in lines(worked("test", session))] == [
        ["✔", "dns", "(3", "ms)"], ["✖", "tcp", "refused"], ["turn", "it", "on"], ["✖", "tcp", "failed"],
    ]  # fmt: skip

    def broken(host: Host, dial: Any, say: Any) -> None:
        say("carrying the wheel")
        raise OSError("the link broke")

    monkeypatch.setattr("remote.deploy.deploy.deploy", broken)
    assert lines(worked("deploy", session)) == ["carrying the wheel", "✖ the link broke"]


def test_a_fault_of_ours_ends_the_job_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: Any, **_more: Any) -> None:
        raise KeyError("nobody foresaw this")

    monkeypatch.setattr("remote.deploy.deploy.deploy", broken)
    job = worked("deploy", FakeSession("box", address="box"))
    assert (job.ok, job.ended) == (False, START + 3)
    assert "a fault of Photinus: KeyError" in lines(job)[-1]


def test_adding_writes_the_file_or_says_why_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "home"))
    said: list[Host | str] = []
    work = HostWork({}, lambda function: function(), lambda: START)
    for count in (1, 2):
        work.add(Host("box", "ada@box"), said.append)
        wait_until(lambda count=count: len(said) == count)  # type: ignore[misc]
    assert said[0] == Host("box", "ada@box")
    assert "box is in" in str(said[1])


def test_a_malformed_finding_is_refused() -> None:
    with pytest.raises(ProtocolError):
        findings(read_as(DoctorAnswer, {"findings": "none"}))
    (found,) = findings(read_as(DoctorAnswer, {"findings": [finding("odd", "x", "y\x1b[2J")]}))
    assert finding_lines(found) == ["· x: y"]
