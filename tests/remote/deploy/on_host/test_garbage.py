"""What a cleaning takes and leaves: each pin, process and unit keeps what would go without it."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from remote.agent.starts.autostart import Ground, arrange
from remote.deploy.on_host.garbage import clean, look, pins, sentence
from remote.deploy.on_host.in_use import residents
from remote.deploy.on_host.installed import Installed, write_installed
from tests.remote.scripts import spec
from tests.waiting import wait_until
from trainer.run.home import Home, open_home
from trainer.run.locks import Flock
from trainer.run.records import write_spec, write_state
from trainer.run.spec import Restart, RunSpec
from trainer.run.states import State, StateRecord

OLD, OLDER, MIDDLE, NEW = "0" * 16, "1" * 16, "2" * 16, "3" * 16


def nobody(_folder: Path) -> Mapping[str, list[int]]:
    return {}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A host with four environments, the oldest first, and the wheel of each."""
    home = open_home(tmp_path / "home")
    for age, name in enumerate((OLD, OLDER, MIDDLE, NEW)):
        make_env(home, name, at=1000.0 + age)
    return home


def make_env(home: Home, name: str, at: float) -> Path:
    folder = home.root / "envs" / name
    (folder / "bin").mkdir(parents=True)
    (folder / "big").write_bytes(b"x" * 1000)
    (folder / "bin" / "python").symlink_to(sys.executable)
    wheel = name * 4
    write_installed(folder, Installed(home=str(home.root), env=name, wheel=wheel, version="1", at=at))
    path = home.root / "cas" / f"{wheel}.whl"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"w")
    os.utime(path, (at, at))
    return folder


def make_run(home: Home, env: str, state: State | None, policy: str = "never") -> RunSpec:
    one = replace(spec(), env_hash=env, restart=Restart(policy=policy))  # type: ignore[arg-type]
    run = home.run(one.run_id).create()
    write_spec(run, one)
    if state is not None:
        write_state(run, 0, StateRecord(run_id=run.run_id, state=state, seq=1, attempt=1, since=time.time()))
    return one


def there(home: Home) -> set[str]:
    return {path.name for path in (home.root / "envs").iterdir()}


def test_the_last_two_stay_and_the_others_go_with_their_wheels(home: Home) -> None:
    done = clean(home, found=nobody)
    assert there(home) == {MIDDLE, NEW} == set(done.kept)
    assert set(done.removed) == {OLD, OLDER}
    assert {path.name for path in (home.root / "cas").iterdir()} == {f"{MIDDLE * 4}.whl", f"{NEW * 4}.whl"}
    assert done.bytes > 2000
    assert "removed: " in sentence(done)


def test_a_dry_run_takes_nothing_and_tells_the_same(home: Home) -> None:
    before = snapshot(home)
    told = clean(home, dry_run=True, found=nobody)
    assert snapshot(home) == before
    done = clean(home, found=nobody)
    assert (told.kept, told.removed, told.wheels) == (done.kept, done.removed, done.wheels)
    assert told.bytes == pytest.approx(done.bytes, rel=0.01)
    assert "would be removed" in sentence(told)


def snapshot(home: Home) -> set[str]:
    return {str(path) for folder in ("envs", "cas") for path in (home.root / folder).rglob("*")}


@pytest.mark.parametrize(
    "state", [None, State.QUEUED, State.STARTING, State.RUNNING, State.STOPPING, State.UNKILLABLE]
)
def test_what_a_run_that_is_not_over_was_started_in_stays(home: Home, state: State | None) -> None:
    one = make_run(home, OLD, state)
    assert pins(home) == {OLD: [one.run_id]}
    clean(home, found=nobody)
    assert there(home) == {OLD, MIDDLE, NEW}


@pytest.mark.parametrize(
    "state", [State.STOPPED, State.SUCCEEDED, State.FAILED, State.DIED, State.DIED_REBOOT]
)
def test_what_a_run_that_is_over_was_started_in_may_go(home: Home, state: State) -> None:
    make_run(home, OLD, state)
    clean(home, found=nobody)
    assert there(home) == {MIDDLE, NEW}


def test_a_run_that_resumes_by_itself_keeps_its_environment(home: Home) -> None:
    make_run(home, OLD, State.DIED_REBOOT, policy="always")
    clean(home, found=nobody)
    assert there(home) == {OLD, MIDDLE, NEW}


def test_a_run_that_cannot_be_read_may_pin_any(home: Home) -> None:
    one = make_run(home, OLD, State.RUNNING)
    home.run(one.run_id).spec.write_text("{torn")
    clean(home, found=nobody)
    assert there(home) == {OLD, OLDER, MIDDLE, NEW}
    assert any("cannot be read" in why for why in look(home, found=nobody)[-1].why)


def test_the_one_that_asks_stays(home: Home) -> None:
    clean(home, own=OLDER, found=nobody)
    assert there(home) == {OLDER, MIDDLE, NEW}


def test_what_a_living_process_was_started_from_stays_until_it_ends(home: Home) -> None:
    python = home.root / "envs" / OLD / "bin" / "python"
    child = subprocess.Popen(
        [python, "-I", "-S", "-c", "import time; print(flush=True); time.sleep(60)"], stdout=-1
    )
    try:
        assert child.stdout is not None
        child.stdout.readline()
        assert residents(home.root / "envs") == {OLD: [child.pid]}
        clean(home)
        assert there(home) == {OLD, MIDDLE, NEW}
        assert f"process {child.pid}" in look(home)[-1].why
    finally:
        child.kill()
        child.wait()
        child.stdout.close()  # type: ignore[union-attr]
    wait_until(lambda: not residents(home.root / "envs"), 5.0, "it to be gone")
    clean(home)
    assert there(home) == {MIDDLE, NEW}


MAPPER = """
import mmap, sys, time
with open(sys.stdin.readline().strip(), "rb") as file:
    mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
print(flush=True)
time.sleep(60)
"""


def test_a_process_that_only_maps_a_file_of_it_keeps_it(home: Home) -> None:
    argv = [sys.executable, "-I", "-S", "-c", MAPPER]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(f"{home.root / 'envs' / OLDER / 'big'}\n")
        child.stdin.flush()
        child.stdout.readline()
        found = residents(home.root / "envs")
        child.kill()
    assert found == {OLDER: [child.pid]}


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_what_starts_with_the_machine_stays(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    """As `hosts autostart` itself writes it: another name here would have collected what it needs."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "booted").mkdir()
    ground = Ground(platform=platform, user="me", user_home=tmp_path, booted=tmp_path / "booted")
    python = f"{home.root}/envs/{OLD}/bin/python"
    assert OLD in clean(home, found=nobody, dry_run=True).removed, "without it, it would go"
    arrange(ground, "install", python, str(home.root))
    clean(home, found=nobody)
    assert there(home) == {OLD, MIDDLE, NEW}


def test_a_half_sent_wheel_stays_a_day_and_a_fresh_one_an_hour(home: Home) -> None:
    now = time.time()
    for name, age in (("a.whl.part", 3600.0), ("b.whl.part", 90000.0), ("c.whl", 60.0), ("d.whl", 7200.0)):
        path = home.root / "cas" / name
        path.write_bytes(b"")
        os.utime(path, (now - age, now - age))
    assert {"b.whl.part", "d.whl"} < set(clean(home, found=nobody).wheels)
    assert {"a.whl.part", "c.whl"} < {path.name for path in (home.root / "cas").iterdir()}


def test_rests_of_an_interrupted_cleaning_go_and_a_build_stays(home: Home) -> None:
    for name in (".trash-x-1", ".building-y-2"):
        (home.root / "envs" / name).mkdir()
    clean(home, found=nobody)
    assert there(home) == {MIDDLE, NEW, ".building-y-2"}


def test_while_a_deploy_is_at_work_nothing_goes(home: Home) -> None:
    with Flock(home.root / "deploy.lock") as lock:
        assert lock.take()
        done = clean(home, found=nobody)
        assert done.dry_run
        assert there(home) == {OLD, OLDER, MIDDLE, NEW}
    assert not clean(home, found=nobody).dry_run
    assert there(home) == {MIDDLE, NEW}


def test_a_host_without_environments_has_nothing_to_clean(tmp_path: Path) -> None:
    done = clean(open_home(tmp_path / "bare"), found=nobody)
    assert (done.kept, done.removed, done.bytes) == ((), (), 0)
