"""From the inbox to shards: files are claimed by rename, read, hashed and stored, one at a time."""

import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from trainer.data.data_errors import BadFileError
from trainer.data.display_names import shown
from trainer.data.tokenizers.tokenizer import Tokenizer
from trainer.feed.feed_folder import PRIORITIES, SETTLED_S, FeedFolder
from trainer.feed.feed_ledger import FeedEvent, FeedLedger
from trainer.feed.shard import FedShard, read_shard, store_shard

SEPARATOR = "~"


@dataclass(frozen=True, slots=True)
class FeedReading:
    """How a feed reads its files."""

    tokenizer: Tokenizer
    context: int
    text_field: str


class Inbox:
    """The inbox of one running feed."""

    def __init__(
        self,
        folder: FeedFolder,
        ledger: FeedLedger,
        reading: FeedReading,
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`tell` hears, in a sentence, of every file that becomes no shard."""
        self._folder, self._ledger, self._reading = folder, ledger, reading
        self._tell, self._clock = tell, clock

    def take_all(self) -> int:
        """Claim what is there, the oldest first, and admit it; return how many files were dealt with.

        Raises:
            OSError: the disk refused; nothing is lost by that.
        """
        for path in self._dropped():
            priority = path.parent.name if path.parent != self._folder.inbox else "normal"
            claim = SEPARATOR.join((str(time.time_ns()), os.urandom(4).hex(), priority, path.name))
            path.rename(self._folder.claimed / claim)
        claims = sorted(self._folder.claimed.iterdir())
        for claimed in claims:
            self._admit(claimed)
        return len(claims)

    def _dropped(self) -> list[Path]:
        """Files of the inbox that are at rest; what is no plain file, or is hidden, is left alone."""
        found: list[tuple[float, str, Path]] = []
        for priority in PRIORITIES:
            for entry in os.scandir(self._folder.drop(priority)):
                try:
                    facts = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                at_rest = self._clock() - facts.st_mtime >= SETTLED_S or facts.st_mtime > self._clock() + 60
                if stat.S_ISREG(facts.st_mode) and not entry.name.startswith(".") and at_rest:
                    found.append((facts.st_mtime, entry.name, Path(entry.path)))
        return [path for _, _, path in sorted(found)]

    def _admit(self, claimed: Path) -> None:
        """Read a claimed file into a shard, or refuse it; a kill at any moment leaves it to the next time."""
        claim, state = claimed.name, self._ledger.state
        if claim in state.claims:  # noted before a kill, and not yet moved away
            admitted = next((one for one in state.shards.values() if one.admitted.claim == claim), None)
            self._move(claimed, self._folder.sources if admitted else self._folder.refused)
            return
        _, _, priority, name = claim.split(SEPARATOR, 3)
        event = FeedEvent(what="refused", at=self._clock(), name=name, claim=claim, priority=priority)
        size = claimed.stat().st_size
        try:
            reading = self._reading
            shard = read_shard(claimed, name, reading.tokenizer, reading.context, reading.text_field)
        except BadFileError as error:
            self._refuse(claimed, _with(event, reason=str(error)[:500], bytes=size))
            return
        if holder := state.holder_of(shard.sha256):
            reason = f"its examples are those of shard {holder}"
            self._refuse(
                claimed, _with(event, what="duplicate", reason=reason, sha256=shard.sha256, bytes=size)
            )
            return
        self._store(claimed, event, shard, size)

    def _store(self, claimed: Path, event: FeedEvent, shard: FedShard, size: int) -> None:
        key = f"{len(self._ledger.state.shards) + 1:04d}-{shard.sha256[:8]}"
        proof = store_shard(self._folder.shards / f"{key}.npz", shard)
        self._ledger.note(
            _with(
                event,
                what="admitted",
                shard=key,
                sha256=shard.sha256,
                tokens_sha256=proof,
                bytes=size,
                examples=len(shard),
                tokens=len(shard.tokens),
                cut=shard.cut,
                reason=f"{shard.dropped} examples without a target left out" if shard.dropped else "",
            )
        )
        self._move(claimed, self._folder.sources)

    def _refuse(self, claimed: Path, event: FeedEvent) -> None:
        self._ledger.note(event)
        self._tell(f"{shown(event.name)} is not trained: {event.reason}")
        self._move(claimed, self._folder.refused)

    @staticmethod
    def _move(claimed: Path, folder: Path) -> None:
        claimed.rename(folder / claimed.name)


def _with(event: FeedEvent, **fields: object) -> FeedEvent:
    return msgspec.structs.replace(event, **fields)
