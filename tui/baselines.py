"""The baselines of an operator: files of numbers in `client/baselines`, after those that ship."""

from collections.abc import Mapping
from pathlib import Path

from remote.hosts.client_state import client_folder, make_client_folder
from trainer.config.locate import configs_dir
from trainer.run.disk.atomic import write_bytes
from trainer.run.disk.small_record import read_small
from trainer.run.run_errors import RecordError
from tui.store.compare.baseline_file import Baseline, parse_baseline

FOLDER = "baselines"
FILE_MAX = 4 << 20


class Baselines:
    """Files by name, read when they are asked for and again when they have changed."""

    def __init__(self) -> None:
        self._read: dict[Path, tuple[tuple[int, int], Baseline]] = {}

    def names(self) -> list[str]:
        """Those that there are: the operator's own, then those that ship."""
        return list(self._paths())

    def of(self, names: tuple[str, ...]) -> Mapping[str, Baseline]:
        """These baselines; one that cannot be read says why."""
        paths = self._paths() if names else {}
        return {name: self._load(name, paths.get(name)) for name in names}

    def keep(self, name: str, text: str) -> Path:
        """Write one of the operator's own, in place of one of that name.

        Raises:
            OSError: it cannot be written.
        """
        path = make_client_folder(FOLDER) / f"{file_name(name)}.csv"
        write_bytes(path, text.encode())
        return path

    def _paths(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for folder in (client_folder(FOLDER), configs_dir() / FOLDER):
            try:
                files = sorted(folder.glob("*.csv"))
            except OSError:
                continue  # a folder that cannot be read has none
            for path in files:
                found.setdefault(file_name(path.stem), path)
        return found

    def _load(self, name: str, path: Path | None) -> Baseline:
        if path is None:
            return Baseline(name, trouble="its file is gone")
        try:
            stat = path.stat()
            mark = (stat.st_mtime_ns, stat.st_size)
            known = self._read.get(path)
            if known is None or known[0] != mark:
                data = read_small(path, FILE_MAX) or b""
                known = self._read[path] = (mark, parse_baseline(name, data.decode("utf-8", "replace")))
        except (OSError, RecordError) as error:
            return Baseline(name, trouble=f"it cannot be read: {error}"[:200])
        return known[1]


def file_name(name: str) -> str:
    """A name that is safe for a file, and for a line of the screen."""
    kept = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_.+") else "-" for sign in name)
    return kept.strip(".-")[:80] or "baseline"
