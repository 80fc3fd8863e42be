"""Which file system a folder is on: flock excludes only processes of one machine."""

import os
import re
import subprocess
import sys
from pathlib import Path

NETWORK = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "afpfs", "webdav", "afs", "ncpfs", "9p"),
        *("ceph", "lustre", "gpfs", "beegfs", "beegfs_nodev", "panfs", "glusterfs", "juicefs"),
        *("sshfs", "s3fs", "gcsfuse", "rclone", "davfs", "gvfsd-fuse", "osxfuse", "macfuse"),
    }
)
UNKNOWN = "unknown"


def is_network(kind: str) -> bool:
    """Whether a file system of this type may be shared by machines (`fuse.sshfs` by its second word)."""
    return kind in NETWORK or kind.removeprefix("fuse.") in NETWORK


def filesystem_of(path: Path) -> str:
    """The file system type that holds `path`, or `unknown`."""
    if sys.platform == "darwin":
        listing = subprocess.run(
            ["/sbin/mount"], capture_output=True, text=True, check=False, timeout=10
        ).stdout
        return from_mount_listing(listing, path.resolve())
    try:
        table = Path("/proc/self/mountinfo").read_text()
    except OSError:
        return UNKNOWN
    device = path.stat().st_dev
    return from_mountinfo(table, f"{os.major(device)}:{os.minor(device)}", path.resolve())


def from_mountinfo(table: str, device: str, path: Path) -> str:
    """The type of the innermost mount of `device` (`major:minor`) above `path`, else of the innermost mount.

    A btrfs subvolume and an overlay report another device than their mount, hence the second try.
    """
    mounts: list[tuple[bool, int, int, str]] = []
    for row in table.splitlines():
        left, _, right = row.partition(" - ")
        fields = left.split()
        if len(fields) < 5 or not right:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), fields[4]))
        if path.is_relative_to(point):
            mounts.append((fields[2] == device, len(point.parts), len(mounts), right.split()[0]))
    return max(mounts)[3] if mounts else UNKNOWN


def from_mount_listing(listing: str, path: Path) -> str:
    """The same from macOS's `mount`: `/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled)`.

    Not tried on a Mac.
    """
    best = (0, UNKNOWN)
    for row in listing.splitlines():
        found = re.fullmatch(r".* on (/.*) \(([^,)]+).*\)", row)
        if found and path.is_relative_to(found[1]):
            best = max(best, (len(Path(found[1]).parts), found[2]))
    return best[1]
