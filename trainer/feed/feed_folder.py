"""Where everything of a feed lies, below the folder of its run."""

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from trainer.run.disk.atomic import take_name
from trainer.run.disk.leftovers import clear_old_parts

PRIORITIES = ("high", "normal", "low")
SETTLED_S = 1.0
"""A file that was written to within this time is left for later: it may be half there."""


@dataclass(frozen=True, slots=True)
class FeedFolder:
    """The folder `feed/` of one run. Properties are its files, whether they exist or not."""

    path: Path

    @property
    def inbox(self) -> Path:
        """Where files are dropped; `inbox/high` and `inbox/low` come before and after the rest."""
        return self.path / "inbox"

    @property
    def claimed(self) -> Path:
        """Files that were taken from the inbox by rename and are being read."""
        return self.path / "claimed"

    @property
    def sources(self) -> Path:
        """Files that became shards, as they came."""
        return self.path / "sources"

    @property
    def refused(self) -> Path:
        """Files that were not trained: no text, or a text that was there before."""
        return self.path / "refused"

    @property
    def shards(self) -> Path:
        """Tokens of every shard, kept: a resume may walk through them again."""
        return self.path / "shards"

    @property
    def ledger(self) -> Path:
        """What happened, one JSON object a line: the state of the queue is made of it."""
        return self.path / "ledger.jsonl"

    @property
    def requests(self) -> Path:
        """What operators ask, and the answers to it."""
        return self.path / "requests"

    def drop(self, priority: str) -> Path:
        """Return the folder into which files of this priority are dropped."""
        return self.inbox if priority == "normal" else self.inbox / priority

    def create(self) -> "FeedFolder":
        """Make the folders, 0700; of present ones only what never arrived there is removed, after a day."""
        drops = [self.drop(priority) for priority in PRIORITIES]
        for folder in (*drops, self.claimed, self.sources, self.refused, self.shards, self.requests):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in drops:
            clear_old_parts(folder)
        return self


def drop(folder: FeedFolder, source: Path, priority: str = "normal") -> Path:
    """Copy a file into the inbox, whole or not at all; return where it lies.

    Raises:
        OSError: it cannot be read, or the disk refused.
    """
    place = folder.create().drop(priority)
    draft = place / f".{source.name}.{os.getpid()}.part"
    try:
        shutil.copyfile(source, draft)
        past = time.time() - SETTLED_S
        os.utime(draft, (past, past))
        return take_name(draft, place / source.name)
    finally:
        draft.unlink(missing_ok=True)
