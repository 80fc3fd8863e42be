"""What began to come to this host and never did: trees that nobody sends on, files for a feed."""

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from remote.agent.background import in_thread
from remote.agent.kept.gone import GOING
from remote.agent.verb import Work
from trainer.run.disk.leftovers import clear_old_parts, old_in
from trainer.run.home import Home
from trainer.run.layout import RunDir

FOLDERS = ("code", "corpora", "arriving")
DRAFT = re.compile(r"\.draft-.+")
DRAFT_REST_S = 7 * 86400.0
"""A cut transfer goes on where it was for so long: whoever sends writes into its draft."""
INBOXES = ("feed/inbox", "feed/inbox/high", "feed/inbox/low")


def clear_old_drafts(home: Home, live: Iterable[RunDir]) -> Work[None]:
    """Remove drafts of trees after a week without a write, files that did not reach an inbox after a day.

    Of the inboxes those of live runs: a feed that begins clears its own, and a long history costs nothing.
    """
    inboxes = [run.path / inbox for run in live for inbox in INBOXES]
    yield from in_thread(lambda: _clear(home.root, inboxes))


def _clear(root: Path, inboxes: Iterable[Path]) -> None:
    for folder in (root / name for name in FOLDERS):
        for path in old_in(folder, DRAFT, DRAFT_REST_S):
            path.rename(folder / f"{GOING}{path.name[1:]}-{os.urandom(4).hex()}")  # at once, for who asks now
        for path in folder.glob(f"{GOING}*"):
            shutil.rmtree(path, ignore_errors=True)
    for folder in inboxes:
        clear_old_parts(folder)
