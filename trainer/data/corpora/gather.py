"""Sources to a corpus: what is new is added, what is there is passed over, what cannot be read is said."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from trainer.config.config_error import ConfigError
from trainer.data.corpora.corpus_manifest import CorpusEntry, CorpusManifest, Shard, entry_of, load, save
from trainer.data.corpora.found import Found, Skipped
from trainer.data.corpora.intake import found_in, read_path
from trainer.data.corpora.kssm_log import NO_NUMBER
from trainer.data.corpora.polite_http import Fetcher, FetchError
from trainer.data.corpora.requested import RequestedSource, Wanted, parse_sources
from trainer.data.corpora.shards import SHARD_BYTES, ShardWriter
from trainer.data.corpora.shelf import Shelf
from trainer.data.data_errors import Stopped
from trainer.data.progress import Pulse

FAILURES_IN_A_ROW = 3

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Means:
    """What a gathering works with.

    Attributes:
        field: The key of the text in JSON lines.
        fetcher: None to take no book that is not on the shelf.
        say: Told a line for people, of what they would want to know at once.
    """

    pulse: Pulse
    shelf: Shelf
    fetcher: Fetcher | None
    say: Say
    field: str = "text"
    shard_bytes: int = SHARD_BYTES


@dataclass(slots=True)
class GatherResult:
    """What came of a gathering.

    Attributes:
        added: Documents that are new.
        known: Texts that the corpus held before.
        duplicates: Texts that came twice.
        skipped: What gave no text.
        barren: Words of the command line that gave nothing at all.
        others: Books that are plainly not what they were asked for as.
    """

    manifest: CorpusManifest
    added: int = 0
    known: int = 0
    duplicates: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    barren: list[str] = field(default_factory=list)
    others: list[CorpusEntry] = field(default_factory=list)

    @property
    def missing(self) -> list[Skipped]:
        """What another try may yet bring."""
        return [one for one in self.skipped if one.again]


def gather(folder: Path, sources: list[RequestedSource], means: Means) -> GatherResult:
    """Add every text of the sources to the corpus in `folder`, which is this process's alone.

    Whole shards and the index of them are on disk at any time, so a gathering that was cut off, however, goes
    on when it is asked for again.

    Raises:
        Stopped: if a stop was asked for; what was read is kept.
        DataError: the corpus is damaged.
        OSError: the disk refused; the shards before are kept.
    """
    manifest = load(folder)
    manifest.name = folder.name
    words = [source.word for source in sources]
    manifest.unfinished = list(dict.fromkeys([*manifest.unfinished, *words]))
    save(folder, manifest)
    outcome = GatherResult(manifest)
    hand = _Hand(folder, outcome, ShardWriter(folder, means.shard_bytes))
    try:
        for source in sources:
            hand.take_all(source, means)
    except Stopped:
        hand.put_down()
        raise
    hand.put_down()
    _settle(manifest, outcome, words)
    save(folder, manifest)
    return outcome


class _Hand:
    """Takes texts and puts them into the corpus."""

    def __init__(self, folder: Path, outcome: GatherResult, writer: ShardWriter) -> None:
        self._folder, self._outcome, self._writer = folder, outcome, writer
        self._before = {entry.sha256 for entry in outcome.manifest.documents}
        self._books = {entry.book for entry in outcome.manifest.documents if entry.book}
        self._now: set[str] = set()

    def take_all(self, source: RequestedSource, means: Means) -> None:
        books = tuple(wanted for wanted in source.books if wanted.number not in self._books)
        got = len(source.books) - len(books)  # what is here is not asked for again
        self._outcome.known += got
        for one in _texts(replace(source, books=books), means):
            got += self._take(one)
        if not got:
            self._outcome.barren.append(source.word)

    def _take(self, one: Found | Skipped) -> bool:
        outcome = self._outcome
        if isinstance(one, Skipped):
            outcome.skipped.append(one)
            return False
        entry = entry_of(one)
        if entry.is_another:
            outcome.others.append(entry)
        if entry.sha256 in self._now:
            outcome.duplicates += 1
            outcome.manifest.duplicates += 1
        elif entry.sha256 in self._before:
            outcome.known += 1
        else:
            self._now.add(entry.sha256)
            outcome.added += 1
            if shard := self._writer.write(one, entry):
                self._list(shard)
        return True

    def put_down(self) -> None:
        if shard := self._writer.finish():
            self._list(shard)

    def _list(self, shard: Shard) -> None:
        self._outcome.manifest.shards.append(shard)
        save(self._folder, self._outcome.manifest)


def _settle(manifest: CorpusManifest, outcome: GatherResult, words: list[str]) -> None:
    """The manifest of a gathering that was carried to its end; of earlier ones, what is still to be had."""
    settled = {f"gutenberg:{entry.book}" for entry in manifest.documents if entry.book}
    settled |= {one.where for one in outcome.skipped}
    manifest.skipped = [one for one in manifest.skipped if not (one.again and one.where in settled)]
    for one in outcome.skipped:
        manifest.skip(one)
    settled -= {one.where for one in manifest.skipped if one.again}
    manifest.unfinished = [word for word in manifest.unfinished if _is_open(word, word in words, settled)]


def _is_open(word: str, was_read: bool, settled: set[str]) -> bool:
    """Whether a gathering of `word` would still bring what another has not."""
    try:
        (source,) = parse_sources([word])
    except ConfigError:  # a path that is gone
        return False
    if source.path is not None:
        return not was_read
    return any(book.number and f"gutenberg:{book.number}" not in settled for book in source.books)


def _texts(source: RequestedSource, means: Means) -> Iterator[Found | Skipped]:
    if source.path is not None:
        yield from read_path(source.path, means.field, means.pulse)
        return
    away, failures = "", 0
    for number, wanted in enumerate(source.books, start=1):
        where = f"gutenberg:{wanted.number}" if wanted.number else wanted.asked
        means.pulse.beat("books", number - 1, len(source.books))
        if not wanted.number:
            yield Skipped(where, NO_NUMBER)
            continue
        try:
            one = _book(wanted, where, replace(means, fetcher=None) if away else means)
        except FetchError as error:
            failures += not error.absent
            reason = away or str(error)
            if means.fetcher and (error.away or failures >= FAILURES_IN_A_ROW):
                away = reason  # the server is left in peace
            message = f"{reason} (asked for as {wanted.asked})" if wanted.asked else reason
            yield Skipped(where, message, again=not error.absent)
            continue
        failures = 0
        if isinstance(one, Found):
            title = f"{one.title}, {one.author}".strip(", ") or wanted.asked
            means.say(f"[{number}/{len(source.books)}] {wanted.number} {title}: {len(one.text):,} characters")
        yield one


def _book(wanted: Wanted, where: str, means: Means) -> Found | Skipped:
    raw = means.shelf.book(wanted.number, means.fetcher)
    one = found_in(raw, where)
    if isinstance(one, Skipped):
        return one
    return Found(one.text, where, one.title, one.author, wanted.number, wanted.asked)
