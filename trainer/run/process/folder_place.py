"""Which folder this is. A copy of it has the same content, and is another place."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class FolderPlace:
    """A folder as it was when it was noted: where, on which device, and its inode there."""

    path: str
    device: int
    inode: int

    def is_at(self, path: Path) -> bool:
        """Whether `path` is that very folder.

        A rename keeps device and inode. The number of a device may change with a mount (another boot, a
        container that was started again), and the path then stays; a snapshot that is mounted elsewhere
        keeps the inode alone.
        """
        try:
            found = path.stat()
        except OSError:
            return False
        same_mount = found.st_dev == self.device or str(path) == self.path
        return found.st_ino == self.inode and same_mount

    def to_json(self) -> dict[str, Any]:
        """Plain values for a record."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: object) -> "FolderPlace | None":
        """Read it back; None where none was noted (an older version) or what was is no place."""
        if not isinstance(raw, dict):
            return None
        path, device, inode = raw.get("path"), raw.get("device"), raw.get("inode")
        if isinstance(path, str) and isinstance(device, int) and isinstance(inode, int):
            return cls(path, device, inode)
        return None


def place_of(path: Path) -> FolderPlace:
    """This folder, as it is now.

    Raises:
        OSError: there is none.
    """
    found = path.stat()
    return FolderPlace(str(path), found.st_dev, found.st_ino)
