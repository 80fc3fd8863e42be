"""`pull` from a real sshd: whole, through cuts and silence, with what it costs to go on."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from remote.hosts.host import Host
from remote.protocol.errors import CallError
from remote.session.link.link_state import Timings
from remote.session.session import Session, connect
from remote.transfer.pull import PullOptions, pull
from remote.transfer.select import Choice
from remote.transfer.transfer_progress import TransferProgress
from tests.remote.transfer.saved import RUN_ID, make_run, same, save
from tests.sshd.delay import DelayProxy
from tests.sshd.server import Sshd, User
from tests.trials import trials
from trainer.run.layout import RunDir

QUICK = Timings(ping_s=0.2, lagging_s=0.4, lost_s=3.0, backoff_s=(0.02, 0.05))
MB = 1_000_000


@pytest.fixture
def far(sshd: Sshd, tmp_path: Path) -> RunDir:
    """A run on the host."""
    return make_run(tmp_path / "far")


@pytest.fixture
def road(slow_link: Callable[..., DelayProxy]) -> DelayProxy:
    return slow_link()


@pytest.fixture
def box(sshd: Sshd, road: DelayProxy, far: RunDir) -> Host:
    host = sshd.host(port=road.port)
    sshd.place(host, far.path.parents[1])
    return host


@pytest.fixture
def link(box: Host) -> Iterator[Session]:
    with connect(box, timings=QUICK) as session:
        yield session


def test_every_checkpoint_comes_whole_with_several_files_in_flight(
    link: Session, far: RunDir, tmp_path: Path
) -> None:
    for step in (100, 200, 300):
        save(far, step, {f"shard-{i}.safetensors": os.urandom(400_000 + i) for i in range(3)}, 1.0)
    seen: list[TransferProgress] = []
    pulled = pull(link, RUN_ID, Choice("all"), tmp_path / "to", on_progress=seen.append)
    assert len(pulled.fetched) == 3
    assert all(same(pulled.folder / one.name, far.checkpoints / one.name) for one in pulled.fetched)
    assert seen[-1].done == seen[-1].total == seen[-1].sent == pulled.sent
    assert pull(link, RUN_ID, Choice("all"), tmp_path / "to").sent == 0


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.claim("a pull whose link is cut in the middle: whole, and at most a tenth is sent again")
def test_a_pull_goes_on_through_cuts_and_sends_at_most_a_tenth_again(
    link: Session,
    far: RunDir,
    road: DelayProxy,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    size = trials(40, 100) * MB
    save(far, 100, {"model.safetensors": os.urandom(size)})
    count = trials(1, 20)
    record_property("trials", count)
    most = 0.0
    for _ in range(count):
        to = tmp_path / os.urandom(4).hex()
        before, accepted = road.to_client, road.accepted
        road.cut_after(size // 2)
        pulled = pull(link, RUN_ID, to=to)
        assert road.accepted > accepted  # negative control: the link was cut indeed
        assert same(pulled.folder / "step-00000100", far.checkpoints / "step-00000100")
        most = max(most, (road.to_client - before) / size - 1)
        assert most <= 0.1
        shutil.rmtree(to)
    record_property("figure", f"{100 * most:.1f} % sent again at most, all overhead counted")


def test_a_pull_goes_on_after_a_silent_partition(
    link: Session, far: RunDir, road: DelayProxy, tmp_path: Path
) -> None:
    save(far, 100, {"model.safetensors": os.urandom(12 * MB)})

    def fall_silent(progress: TransferProgress) -> None:
        if not falls and progress.done > MB:
            falls.append(progress.done)
            road.pause()
        elif falls and not link.link.is_up:
            road.resume()

    falls: list[int] = []
    pulled = pull(link, RUN_ID, to=tmp_path / "to", on_progress=fall_silent)
    assert same(pulled.folder / "step-00000100", far.checkpoints / "step-00000100")


def test_a_killed_sshd_session_is_reconnected(link: Session, far: RunDir, sshd: Sshd, tmp_path: Path) -> None:
    save(far, 100, {"model.safetensors": os.urandom(12 * MB)})
    killed: list[int] = []

    def kill(progress: TransferProgress) -> None:
        if not killed:
            killed.append(sshd.kill_sessions())

    pulled = pull(link, RUN_ID, to=tmp_path / "to", on_progress=kill)
    assert same(pulled.folder / "step-00000100", far.checkpoints / "step-00000100")


def test_the_hosts_own_folder_is_the_default(link: Session, box: Host, far: RunDir, tmp_path: Path) -> None:
    save(far, 100, {"model.safetensors": b"weights"})
    link.host = replace(box, checkpoints=str(tmp_path / "mine"))
    assert pull(link, RUN_ID).folder == tmp_path / "mine" / RUN_ID
    link.host = box
    assert pull(link, RUN_ID, options=PullOptions(workers=1)).folder.parts[-4:-1] == (
        "client", "checkpoints", "box",
    )  # fmt: skip


@pytest.mark.parametrize("most", [2, 3])
def test_a_server_that_allows_few_channels_is_pulled_from_over_those(
    start_sshd: Callable[..., Sshd], tmp_path: Path, most: int
) -> None:
    server = start_sshd(options={"MaxSessions": str(most)})
    run = make_run(tmp_path / "far")
    save(run, 100, {f"shard-{i}": os.urandom(300_000) for i in range(6)})
    host = server.host()
    server.place(host, tmp_path / "far")
    with connect(host) as session:
        pulled = pull(session, RUN_ID, to=tmp_path / "to")
    assert same(pulled.folder / "step-00000100", run.checkpoints / "step-00000100")


@pytest.mark.timeout(240)  # with one session the workers wait before each takes a connection
@pytest.mark.parametrize("more", [{"Subsystem": "other /bin/false"}, {"MaxSessions": "1"}])
def test_a_host_without_sftp_or_with_one_session_is_pulled_from(
    start_sshd: Callable[..., Sshd],
    far: RunDir,
    tmp_path: Path,
    more: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("remote.ssh.client.CLOSING_S", 0.5)
    sshd = start_sshd(name="odd", options=more)
    host = sshd.host(name="odd")
    sshd.place(host, far.path.parents[1])
    save(far, 100, {f"shard-{i}.safetensors": os.urandom(300_000 + i) for i in range(3)}, 1.0)
    with connect(host, timings=QUICK) as session:
        pulled = pull(session, RUN_ID, Choice("all"), tmp_path / "to")
    assert [one.name for one in pulled.fetched] == [path.name for path in far.checkpoints.iterdir()]
    assert all(same(pulled.folder / one.name, far.checkpoints / one.name) for one in pulled.fetched)


def test_a_host_where_no_file_can_be_moved_refuses_at_once(
    start_sshd: Callable[..., Sshd], far: RunDir, tmp_path: Path
) -> None:
    """No lost link, and no five minutes of waiting for one."""
    no_python = 'case "$BASH_EXECUTION_STRING" in *stdin.buffer*) echo no python here; exit 1;; esac'
    sshd = start_sshd([User("bare", bashrc=no_python)], name="odd", options={"Subsystem": "other /bin/false"})
    host = sshd.host("bare", name="odd")
    sshd.place(host, far.path.parents[1])
    save(far, 100, {"shard.safetensors": os.urandom(1000)}, 1.0)
    refusal = pytest.raises(CallError, match="odd offers no SFTP")
    with connect(host, timings=QUICK) as session, refusal as caught:
        pull(session, RUN_ID, Choice("all"), tmp_path / "to")
    assert (caught.value.code, caught.value.exit_code) == ("refused", 3)
    assert "run the same" not in caught.value.remedy
