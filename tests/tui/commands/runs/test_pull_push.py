"""`pull`, `push` and `tail --path` as a person types them."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from remote.hosts.host import Host
from remote.hosts.hosts_edit import add_hosts
from remote.transfer.transfer_progress import ByteMeter, TransferProgress
from tests.remote.transfer.saved import RUN_ID, make_run, same, save
from tests.sshd.delay import DelayProxy
from tests.sshd.server import Sshd
from tests.tui.commands.conftest import Photinus
from tests.waiting import wait_until
from trainer.run.layout import RunDir
from tui.commands.runs.pull_push import line_of, size


@pytest.fixture
def box(sshd: Sshd) -> Host:
    host = sshd.host("plain", name="box")
    sshd.place(host)
    add_hosts([host])
    return host


@pytest.fixture
def far(box: Host, sshd: Sshd) -> RunDir:
    run = make_run(sshd.home("plain") / ".photinus")
    for step, val_ce in ((100, 1.0), (200, 2.0)):
        save(run, step, {"model.safetensors": os.urandom(100_000)}, val_ce)
    return run


def test_the_best_comes_here_and_goes_back_to_begin_another_run(
    far: RunDir, photinus: Photinus, tmp_path: Path, sshd: Sshd
) -> None:
    pulled = photinus("pull", f"box:{RUN_ID[:4]}", "--best", "--to", str(tmp_path / "to"), "--json")
    assert pulled.code == 0, pulled.err
    (row,) = pulled.json["fetched"]
    assert (row["name"], row["best"], pulled.json["identical"], pulled.json["gone"]) == (
        "step-00000100", True, [], [],
    )  # fmt: skip
    assert same(Path(row["path"]), far.checkpoints / "step-00000100")
    again = photinus("pull", RUN_ID, "--host", "box", "--since", "100", "--to", str(tmp_path / "to"))
    assert again.out.splitlines()[:2] == [
        f"fetched    {tmp_path / 'to' / RUN_ID / 'step-00000200'}  100.3 kB",
        f"identical  {tmp_path / 'to' / RUN_ID / 'step-00000100'}",
    ]
    pushed = photinus("push", row["path"], "--host", "box", "--origin", "copy")
    there = sshd.home("plain") / ".photinus" / "seeds" / "copy" / "checkpoints" / "step-00000100"
    assert pushed.out.splitlines() == [
        f"{there}  (100.3 kB sent, every hash checked there)",
        "now: photinus start --preset NAME --from copy/step-00000100 --host box",
    ]
    into = photinus("push", row["path"], "--run", RUN_ID, "--host", "box", "--json")
    assert (into.json["was_there"], into.json["parent"], into.json["run_id"]) == (True, "", RUN_ID)


def test_where_it_goes_without_to(far: RunDir, photinus: Photinus) -> None:
    pulled = photinus("pull", f"box:{RUN_ID}", "--json")
    assert pulled.json["folder"] == str(
        Path(os.environ["PHOTINUS_HOME"], "client", "checkpoints", "box", RUN_ID)
    )


def test_what_cannot_be_is_told_with_its_exit_code(far: RunDir, photinus: Photinus, tmp_path: Path) -> None:
    for words, code, told in (
        (["pull", "none-abcdef", "--host", "box"], 6, "no run on box"),
        (["pull", RUN_ID, "--host", "box", "--match", "x*"], 6, "no checkpoint that matches 'x*'"),
        (["pull", RUN_ID, "--host", "box", "--best", "--all"], 2, "not allowed with"),
        (["push", str(tmp_path), "--host", "box"], 3, "no manifest"),
        (["push", str(far.checkpoints / "step-00000100"), "--origin", "../x"], 2, "no name of a run"),
        (["tail", "--path", "relative"], 1, "absolute"),
        (["tail"], 2, "name a run"),
    ):
        said = photinus(*words)
        assert (said.code, said.out) == (code, ""), words
        assert told in said.err, said.err


IN_FRONT = """
import signal, sys
from tui.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main(sys.argv[1:]))
"""
"""As in a terminal: where the suite itself runs behind a shell's `&`, its children would ignore Ctrl-C."""


def test_ctrl_c_in_the_middle_of_a_silent_link_leaves_parts_that_the_next_pull_goes_on_from(
    sshd: Sshd, slow_link: Callable[[float], DelayProxy], photinus: Photinus, tmp_path: Path
) -> None:
    road = slow_link(0.01)
    host = sshd.host("plain", name="box", port=road.port)
    sshd.place(host)
    add_hosts([host])
    run = make_run(sshd.home("plain") / ".photinus")
    save(run, 100, {"model.safetensors": os.urandom(30_000_000)})
    words = ["pull", f"box:{RUN_ID}", "--to", str(tmp_path / "to")]
    part = tmp_path / "to" / RUN_ID / "step-00000100" / "model.safetensors.part"
    pulling = subprocess.Popen([sys.executable, "-c", IN_FRONT, *words], stderr=subprocess.PIPE)
    try:
        wait_until(lambda: part.exists() and part.stat().st_size > 1_000_000, 20.0, "a part")
        road.pause()
        pulling.send_signal(signal.SIGINT)
        _, said = pulling.communicate(timeout=20.0)
    finally:
        pulling.kill()
        pulling.wait()
    assert pulling.returncode == 130
    assert b"Traceback" not in said
    kept = part.stat().st_size
    assert 1_000_000 < kept < 30_000_000
    road.resume()
    again = photinus(*words, "--json")
    assert again.json["sent"] == again.json["fetched"][0]["bytes"] - kept
    assert same(part.parent, run.checkpoints / "step-00000100")


def test_any_file_of_a_host_is_printed(far: RunDir, photinus: Photinus, sshd: Sshd) -> None:
    path = sshd.home("plain") / "old-tool.log"
    path.write_bytes(b"one\n\x1b[2Jtwo\n")
    assert photinus("tail", "--host", "box", "--path", str(path)).out == "one\n\x1b[2Jtwo\n"


def test_the_progress_line_says_how_far_how_fast_and_how_long() -> None:
    shown = line_of(
        TransferProgress(1_200_000_000, 2_900_000_000, 5, 98e6, 17.4, "step-00001000/model.safetensors")
    )
    assert shown == " 41 %  1.2 GB of 2.9 GB  98.0 MB/s  0:17 left  step-00001000/model.safetensors"
    assert line_of(TransferProgress(0, 0, 0, 0.0, None)) == "100 %  0 B of 0 B  0 B/s  "
    assert [size(n) for n in (999, 1000, 1_500_000, 3.2e12)] == ["999 B", "1.0 kB", "1.5 MB", "3.20 TB"]


def test_the_rate_is_of_the_last_seconds() -> None:
    now = [0.0]
    meter = ByteMeter(lambda: now[0])
    meter.expect(1000, 100)
    meter.reading()
    for _ in range(8):
        now[0] += 1.0
        meter.arrived(50)
        shown = meter.reading()
    assert (shown.done, shown.total, shown.sent, shown.rate, shown.eta_s) == (500, 1000, 400, 50.0, 10.0)
    now[0] += 6.0
    meter.reading()
    now[0] += 6.0
    assert meter.reading().rate == 0.0
    assert meter.reading().eta_s is None
