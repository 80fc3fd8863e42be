"""A run that somebody started with nohup, on a real sshd: shown, opened, printed, and never touched."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from remote.hosts.host import Host
from remote.hosts.hosts_edit import add_hosts
from remote.session.session import Session
from tests.sshd.server import Sshd
from tests.tui.commands.conftest import Photinus
from tests.tui.driving import picture, toasts
from tests.tui.test_over_ssh import until
from tests.waiting import wait_until
from tui.app import Cockpit
from tui.commands.output import NOT_FOUND, REFUSED

SCRIPT = """
import sys, time
print("step 0: train loss 4.2, val loss 4.3", flush=True)
for n in range(4000):
    print(f"iter {10 * n}: loss 2.5000, time 10.00ms, mfu 1.00%", flush=True)
    time.sleep(0.05)
"""


@pytest.fixture
def folder(sshd: Sshd) -> Path:
    made = sshd.home("plain") / "exp" / "a"
    made.mkdir(parents=True)
    return made


@pytest.fixture
def box(sshd: Sshd, folder: Path) -> Host:
    host = replace(sshd.host("plain", name="box"), watch=("~/exp/*/train.log", "~/later.log"))
    sshd.place(host)
    add_hosts([host])
    return host


@pytest.fixture
def nohup(folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A training run of nobody's: its output goes to a file, its parent is gone for all that it knows."""
    with (folder / "train.log").open("wb") as log:
        run = subprocess.Popen(
            ["nohup", sys.executable, "-I", "-S", "-c", SCRIPT],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    yield run
    run.kill()
    run.wait()


async def test_it_appears_in_the_fleet_goes_on_and_no_key_ends_it(
    box: Host, nohup: "subprocess.Popen[bytes]"
) -> None:
    session = Session(box, watches=True)
    app = Cockpit([session], tick_s=0.1)
    try:
        async with app.run_test(size=(140, 36)) as pilot:
            await until(pilot, lambda: "a/train.log" in picture(app) and "writing" in picture(app))
            assert "later.log" in picture(app)
            assert "awaited" in picture(app)
            run = app.store.runs["box", "a/train.log"]
            await until(pilot, lambda: (run.step or 0) > 20)
            assert run.log_format == "nanoGPT"
            app.open_run(("box", "a/train.log"))
            await until(pilot, lambda: "▶ writing" in picture(app) and "iter " in picture(app))
            for key in ("x", "K", "r"):
                await pilot.press(key)
                await until(pilot, lambda: any("a/train.log is only watched" in said for said in toasts(app)))
                app.clear_notifications()
            assert nohup.poll() is None
            before = run.step or 0
            await until(pilot, lambda: (run.step or 0) > before)
    finally:
        session.close()


def test_commands_print_it_refuse_to_act_on_it_and_read_no_pipe(
    box: Host,
    folder: Path,
    photinus: Photinus,
    nohup: "subprocess.Popen[bytes]",
) -> None:
    wait_until(lambda: (folder / "train.log").stat().st_size > 200)
    said = photinus("open", "box:~/exp/*/train.log")
    assert said.code == 0, said.err
    first, name, *rows = said.out.splitlines()
    assert (first, name) == (f"box:{folder}/train.log (log)", "nanoGPT")
    assert rows[0].startswith("eval 0  train_loss 4.2")
    table = photinus("export", f"box:{folder}/train.log", "--to", "csv", "--out", "-").out
    assert table.startswith(
        "step,attempt,kind,time,train_loss,val_loss,loss,step_ms,mfu\n0,1,eval,,4.2,4.3,,,\n"
    )
    listed = {row["run_id"]: row for row in photinus("ls", "--host", "box", "--json").json}
    assert (listed["a/train.log"]["state"], listed["~/later.log"]["state"]) == ("writing", "awaited")
    assert listed["a/train.log"]["dir"] == f"{folder}/train.log"
    said = photinus("stop", "box:a/train.log")
    assert said.code == REFUSED, said
    assert "only watched" in said.err
    assert f"`photinus open box:{folder}/train.log`" in said.err
    assert nohup.poll() is None
    os.mkfifo(folder / "pipe")
    said = photinus("open", f"box:{folder}/pipe")
    assert said.code == REFUSED
    assert "is a FIFO: only plain files are read" in said.err
    assert photinus("open", "box:none.log").code == NOT_FOUND
    (folder / "out").mkdir()
    (folder / "out" / "ckpt.pt").touch()
    said = photinus("open", f"box:{folder}/out")
    assert said.code == NOT_FOUND
    assert "a checkpoint, which tells no numbers" in said.err
