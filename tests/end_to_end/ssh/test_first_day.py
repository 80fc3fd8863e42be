"""A first day with a host, command by command: add, start, close the laptop, open it, stop, pull."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.ssh.box import Box
from tests.end_to_end.ssh.operating import Console
from tests.sshd.client import Laptop
from tests.trials import trials
from tests.waiting import wait_until
from trainer.run.checkpoints.manifest import verify


@pytest.fixture
def stranger(make_box: Callable[..., Box], laptop: Laptop) -> Box:
    """A host that this laptop has never seen; its agent is in place and has little patience."""
    box = make_box(idle_exit=2.0)
    (laptop.root / "client" / "known_hosts").unlink()
    return box


@pytest.mark.chaos
@pytest.mark.skipif(trials(0, 1) == 0, reason="its parts have tests of their own: `make chaos` runs it whole")
@pytest.mark.timeout(300)
def test_from_an_address_to_a_checkpoint_on_the_laptop(stranger: Box, laptop: Laptop, tmp_path: Path) -> None:
    photinus = Console(laptop)
    address = stranger.host.address
    refused = photinus("hosts", "add", "box", address)
    assert refused.code == 3
    assert stranger.sshd.host_key_fingerprint in refused.out + refused.err
    photinus.do("hosts", "add", "box", address, "--accept-host-key", stranger.sshd.host_key_fingerprint)

    words = ("start", "--host", "box", "--preset", "kssm-v3-tiny", "--set", "steps=100000", "--json")
    run_id = photinus.do(*words).json["run_id"]
    log = tmp_path / "followed"
    with log.open("wb") as out:
        follower = subprocess.Popen(
            photinus.argv("events", "-f", f"box:{run_id}"), stdout=out, env=photinus.env
        )
    try:
        wait_until(lambda: log.stat().st_size > 0, 20.0, "the first event")
        os.kill(follower.pid, signal.SIGSTOP)
        before = stranger.run(run_id).events.stat().st_size
        wait_until(lambda: stranger.run(run_id).events.stat().st_size > before, 20.0, "the run to go on")
        os.kill(follower.pid, signal.SIGCONT)
        stopped = photinus.do("stop", run_id, "--host", "box", "--json").json
        assert follower.wait(30.0) == 0
    finally:
        follower.kill()
        follower.wait()
    assert stopped["state"] == "stopped"
    assert log.read_bytes() == stranger.run(run_id).events.read_bytes()

    photinus.do("pull", run_id, "--host", "box", "--to", str(tmp_path / "pulled"))
    name = Path(stopped["last_checkpoint"]["path"]).name
    here, there = tmp_path / "pulled" / run_id / name, stranger.run(run_id).checkpoints / name
    assert verify(here).step == verify(there).step == stopped["last_checkpoint"]["step"]
    stranger.wait_right()
