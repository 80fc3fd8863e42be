"""A new wheel needs no new download: an environment with the same packages is taken over by hard links.

Safe beside a living one: nobody changes an installed file in place. What we rewrite (scripts, pyvenv.cfg) and
what is ours in it is copied, or left out.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from remote.deploy.on_host.installed import HOME_NOTE, RECORD, Installed, read_installed
from trainer.run.device_report import FOLDER as SELFTEST

OURS = ("trainer", "remote", "configs")
NOTES = frozenset({HOME_NOTE, RECORD})


def twin(envs: Path, packages: str) -> Path | None:
    """The newest environment with the very same packages; None without one."""
    found = [(note.at, path) for path, note in _installed(envs) if packages and note.packages == packages]
    return max(found)[1] if found else None


def clone(source: Path, draft: Path) -> None:
    """Make `draft` the same environment as `source`, without our own code.

    Raises:
        OSError: a file can neither be linked nor copied.
    """
    for folder, below, names in os.walk(source):
        here = Path(folder)
        inside = here.relative_to(source)
        if here.name == "site-packages":
            below[:] = [name for name in below if not _is_ours(name)]
        if here == source:
            below[:] = [name for name in below if name != SELFTEST]  # other code is tried anew
        there = draft / inside
        there.mkdir(mode=0o700, exist_ok=True)
        links = [name for name in below if (here / name).is_symlink()]
        for name in [*names, *links]:
            if inside != Path() or name not in NOTES:
                _place(here / name, there / name, is_rewritten=inside in (Path(), Path("bin")))


def _place(old: Path, new: Path, *, is_rewritten: bool) -> None:
    if old.is_symlink():
        new.symlink_to(old.readlink())
        return
    if not is_rewritten:
        try:
            os.link(old, new)
        except OSError:
            pass
        else:
            return
    shutil.copy2(old, new)


def _is_ours(name: str) -> bool:
    return name in OURS or (name.startswith("photinus-") and name.endswith(".dist-info"))


def _installed(envs: Path) -> Iterator[tuple[Path, Installed]]:
    for path in envs.iterdir():
        note = read_installed(path) if path.name[:1] != "." else None
        if note is not None:
            yield path, note
