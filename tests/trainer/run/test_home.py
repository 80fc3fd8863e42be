import multiprocessing
import os
from pathlib import Path

import pytest

from trainer.run.disk.filesystems import filesystem_of, from_mount_listing, from_mountinfo, is_network
from trainer.run.home import open_home, state_root
from trainer.run.run_errors import HomeError, LockHeldError, SpecError

MOUNTINFO = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:25 / /home rw - nfs4 server:/home rw
31 30 0:26 / /home/ada/local\\040disk rw - xfs /dev/vdb rw
"""
MOUNTS = """\
/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled, nobrowse)
//ada@nas/share on /Volumes/share (smbfs, nodev, nosuid, mounted by ada)
"""


def test_root_is_made_private_and_named_once(tmp_path: Path) -> None:
    first = open_home(tmp_path / "home")
    assert first.root.stat().st_mode & 0o777 == 0o700
    assert open_home(tmp_path / "home").host_id == first.host_id
    assert open_home(tmp_path / "other").host_id != first.host_id
    assert (first.root / "host.json").stat().st_mode & 0o777 == 0o600


def test_many_first_openers_agree_on_the_name(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")  # a worker of the suite has threads
    with context.Pool(6) as pool:
        found = pool.map(open_home, [tmp_path / "home"] * 12)
    assert len({home.host_id for home in found}) == 1


def test_environment_moves_the_root(tmp_path: Path) -> None:
    assert state_root({"PHOTINUS_HOME": str(tmp_path)}) == tmp_path
    assert state_root({"HOME": "/home/ada"}) == Path("/home/ada/.photinus")


def test_a_relative_root_is_refused_because_it_is_another_one_in_each_folder() -> None:
    with pytest.raises(HomeError, match=r"relative path; set it to .*/here"):
        state_root({"PHOTINUS_HOME": "here"})
    assert state_root({"PHOTINUS_HOME": "~/x", "HOME": "/home/ada"}).is_absolute()


def test_root_open_to_others_is_refused_with_the_remedy(tmp_path: Path) -> None:
    open_home(tmp_path / "home")
    (tmp_path / "home").chmod(0o750)
    with pytest.raises(HomeError, match="chmod 700"):
        open_home(tmp_path / "home")


def test_symlink_and_file_are_refused(tmp_path: Path) -> None:
    open_home(tmp_path / "home")
    (tmp_path / "link").symlink_to(tmp_path / "home")
    with pytest.raises(HomeError, match="symbolic link"):
        open_home(tmp_path / "link")
    (tmp_path / "dangling").symlink_to(tmp_path / "gone")
    with pytest.raises(HomeError, match=r"link to .*gone, which does not exist; remove the link"):
        open_home(tmp_path / "dangling")
    (tmp_path / "file").touch()
    with pytest.raises(HomeError, match="cannot use"):
        open_home(tmp_path / "file")


def test_root_of_another_user_is_refused(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    (tmp_path / "home").mkdir(mode=0o700)
    os.chown(tmp_path / "home", 65534, 65534)
    with pytest.raises(HomeError, match="belongs to user 65534"):
        open_home(tmp_path / "home")


def test_network_file_system_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match=r"nfs4.*does not exclude"):
        open_home(tmp_path / "home", filesystem=lambda path: "nfs4")
    assert open_home(tmp_path / "home", filesystem=lambda path: "ext4").host_id


@pytest.mark.parametrize(
    ("kind", "network"), [("nfs", True), ("fuse.sshfs", True), ("9p", True), ("cifs", True)]
)
def test_network_kinds(kind: str, network: bool) -> None:
    assert is_network(kind) is network


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "tmpfs", "apfs", "overlay", "zfs", "unknown"])
def test_local_kinds(kind: str) -> None:
    assert not is_network(kind)


@pytest.mark.parametrize(
    ("path", "device", "kind"),
    [
        ("/srv/x", "254:0", "ext4"),
        ("/home/ada", "0:25", "nfs4"),
        ("/home/ada/local disk/x", "0:26", "xfs"),
        ("/home/ada", "9:9", "nfs4"),
    ],
)
def test_innermost_mount_counts(path: str, device: str, kind: str) -> None:
    assert from_mountinfo(MOUNTINFO, device, Path(path)) == kind


def test_macos_mount_listing_is_read() -> None:
    assert from_mount_listing(MOUNTS, Path("/Users/ada")) == "apfs"
    assert from_mount_listing(MOUNTS, Path("/Volumes/share/x")) == "smbfs"
    assert from_mount_listing("", Path("/")) == "unknown"


def test_this_machine_says_where_a_folder_is(tmp_path: Path) -> None:
    assert filesystem_of(tmp_path) not in ("", "unknown")


def test_only_runs_with_a_valid_id_and_a_spec_are_listed(tmp_path: Path) -> None:
    home = open_home(tmp_path / "home")
    home.run("real-aaaaaa").create().spec.write_text("{}")
    home.run("bare-aaaaaa").create()
    (home.runs_dir / "Not a run").mkdir()
    assert [run.run_id for run in home.runs()] == ["real-aaaaaa"]
    with pytest.raises(SpecError):
        home.run("../../etc")


def test_second_agent_waits_for_the_first_and_says_so(tmp_path: Path) -> None:
    home = open_home(tmp_path / "home")
    with home.agent_section(), pytest.raises(LockHeldError, match="another agent"), home.agent_section(0.05):
        pass
    with home.agent_section(0.05):
        assert home.agent_lock.exists()
