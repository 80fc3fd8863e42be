"""Gathering into a corpus: what is kept, what is passed over, and what an interruption leaves."""

import gzip
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from tests.trainer.data.corpora.library import Library, book, opened
from tests.trainer.data.prose import prose
from trainer.config.data import DataConfig
from trainer.data import DataError, prepare
from trainer.data.corpora.corpus_lock import HeldError, held
from trainer.data.corpora.corpus_manifest import MANIFEST, Record, load
from trainer.data.corpora.gather import GatherResult, Means, gather
from trainer.data.corpora.polite_http import Fetcher, Manners
from trainer.data.corpora.requested import RequestedSource, Wanted, parse_sources
from trainer.data.corpora.shards import PART
from trainer.data.corpora.shelf import Shelf
from trainer.data.data_errors import Stopped
from trainer.data.progress import Pulse, never, silent


@pytest.fixture
def library() -> Iterator[Library]:
    with opened() as one:
        yield one


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "corpora" / "books"


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """Three files, two of them equal."""
    (tmp_path / "in").mkdir()
    for name, seed in (("a", 1), ("b", 2), ("c", 1)):
        (tmp_path / "in" / f"{name}.txt").write_text(prose(12_000, seed))
    return tmp_path / "in"


def run(
    corpus: Path,
    *words: str | RequestedSource,
    base: str = "http://nowhere.invalid",
    fetch: bool = False,
    is_new: bool = True,
    should_stop: Callable[[], bool] = never,
    shard_bytes: int = 1 << 20,
) -> GatherResult:
    pulse = Pulse(silent, should_stop)
    fetcher = Fetcher(Manners(timeout_s=5), pulse, lambda _: None) if fetch else None
    shelf = Shelf(corpus.parent.parent / "cache" / "gutenberg", base)
    sources = [word if isinstance(word, RequestedSource) else parse_sources([word])[0] for word in words]
    with held(corpus, is_new=is_new):
        means = Means(pulse, shelf, fetcher, lambda _: None, shard_bytes=shard_bytes)
        return gather(corpus, sources, means)


def fingerprint(source: str) -> str:
    with prepare(DataConfig(source=source)) as prepared:
        return prepared.fingerprint


def test_a_corpus_is_trained_on_by_name_and_by_path_and_a_changed_one_is_another(
    corpus: Path, texts: Path
) -> None:
    outcome = run(corpus, str(texts))
    assert (outcome.added, outcome.duplicates, outcome.known) == (2, 1, 0)
    with prepare(DataConfig(source="corpus:books", text_field="else")) as prepared:
        assert (prepared.documents, prepared.meta.source, prepared.notes) == (2, "corpus:books", [])
        before = prepared.fingerprint
    assert fingerprint("corpus:books") == before
    (texts / "d.txt").write_text(prose(12_000, 3))
    run(corpus, str(texts), is_new=False)
    assert fingerprint("corpus:books") != before
    with prepare(DataConfig(source=str(corpus))) as by_path:
        assert by_path.documents == 3


def test_adding_passes_over_what_is_there(corpus: Path, texts: Path) -> None:
    run(corpus, str(texts))
    shards = {path: path.read_bytes() for path in corpus.glob("*.jsonl")}
    again = run(corpus, str(texts / "a.txt"), is_new=False)
    assert (again.added, again.known, again.barren) == (0, 1, [])
    assert {path: path.read_bytes() for path in corpus.glob("*.jsonl")} == shards
    (texts / "new.txt").write_text(prose(5_000, 9))
    assert run(corpus, str(texts), is_new=False).added == 1


def test_a_document_is_kept_as_it_is_cleaned_with_where_it_came_from(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("“Café”\r\n\r\nA  new paragraph.\r\n".encode("cp1252"))
    (tmp_path / "b.txt.gz").write_bytes(
        gzip.compress(book("Emma", "Jane Austen", 158, body="Handsome.", old=True))
    )
    run(corpus, str(tmp_path / "a.txt"), str(tmp_path / "b.txt.gz"))
    first, second = (
        msgspec.json.decode(line, type=Record)
        for line in (corpus / "texts-00001.jsonl").read_text().splitlines()
    )
    assert (first.text, first.where) == ("“Café”\n\nA  new paragraph.", str(tmp_path / "a.txt"))
    assert (second.text, second.title, second.author) == ("Handsome.", "Emma", "Jane Austen")


def test_what_is_no_text_is_skipped_with_a_reason(corpus: Path, texts: Path) -> None:
    (texts / "bin.txt").write_bytes(b"\0\1" * 50)
    (texts / "empty.txt").write_text("\n")
    (texts / "evil\x1b[2J.txt").write_bytes(b"\0")
    (texts / "rows.jsonl").write_text('{"text": "fine"}\n{torn')
    (texts / "out.txt").symlink_to("/etc/hostname")
    (texts / "loop.txt").symlink_to("loop.txt")
    (texts / "in.txt").symlink_to("a.txt")
    (texts / "folder").symlink_to("/etc")
    os.mkfifo(texts / "pipe.txt")
    (texts / ".hidden.txt").write_text("hidden")
    outcome = run(corpus, str(texts))
    assert (outcome.added, outcome.duplicates) == (3, 2)
    said = {Path(one.where).name: one.because for one in outcome.skipped}
    assert all(one.sentence.isprintable() for one in outcome.skipped)
    for name, reason in {
        "bin.txt": "not a text file",
        "empty.txt": "no text",
        "evil\\x1b[2J.txt": "not a text file",
        "rows.jsonl": "line 2 is not JSON",
        "out.txt": "leads out of the folder",
        "loop.txt": "leads nowhere",
        "folder": "a link to a folder",
        "pipe.txt": "no plain file",
    }.items():
        assert reason in said.pop(name)
    assert said == {}
    assert load(corpus).skipped == outcome.skipped


def test_books_come_with_their_titles_and_a_wrong_one_is_seen(corpus: Path, library: Library) -> None:
    library.put(11, book("Alice", "Lewis Carroll", 11))
    path = library.put(4705, book("A Treatise of Human Nature", "David Hume", 4705))
    listed = RequestedSource(
        "list", books=(Wanted(4705, "A Room of One's Own", "Virginia Woolf"), Wanted(0, "Physics", "A."))
    )
    outcome = run(corpus, "gutenberg:11", listed, base=library.base, fetch=True)
    assert [entry.name for entry in outcome.others] == ["A Treatise of Human Nature (David Hume)"]
    assert ["not known for certain" in one.because for one in outcome.skipped] == [True]
    assert outcome.missing == []
    entries = {entry.book: entry for entry in load(corpus).documents}
    assert (entries[11].title, entries[11].author, entries[11].asked) == ("Alice", "Lewis Carroll", "")
    assert entries[4705].asked == "A Room of One's Own (Virginia Woolf)"
    again = run(corpus, "gutenberg:11,4705", base=library.base, fetch=True, is_new=False)
    assert (again.known, again.added, library.asked[path]) == (2, 0, 1)


def test_books_that_could_not_be_had_are_had_the_next_time(
    corpus: Path, library: Library, tmp_path: Path
) -> None:
    library.put(11, book("Alice", "Lewis Carroll", 11))
    library.faults[library.put(12, book("Looking-Glass", "Lewis Carroll", 12))] = [403]
    first = run(corpus, "gutenberg:11,12,13", base=library.base, fetch=True)
    assert [(one.where, one.again) for one in first.skipped] == [
        ("gutenberg:12", True),
        ("gutenberg:13", False),
    ]
    assert load(corpus).unfinished == ["gutenberg:11,12,13"]
    with prepare(DataConfig(source="corpus:books")) as prepared:
        assert "not complete" in prepared.notes[0]
    (tmp_path / "more.txt").write_text(prose(3_000))
    run(corpus, str(tmp_path / "more.txt"), is_new=False)
    assert load(corpus).unfinished == ["gutenberg:11,12,13"]  # it brought no book
    second = run(corpus, "gutenberg:11,12,13", base=library.base, fetch=True)  # `build` goes on with it
    assert (second.added, second.known) == (1, 1)
    assert [one.where for one in load(corpus).skipped] == ["gutenberg:13"]
    assert load(corpus).unfinished == []


def test_books_that_were_fetched_by_hand_complete_a_corpus(
    corpus: Path, library: Library, tmp_path: Path
) -> None:
    library.put(11, book("Alice", "Lewis Carroll", 11))
    library.faults[library.put(12, b"")] = [403]
    run(corpus, "gutenberg:11,12", base=library.base, fetch=True)
    (tmp_path / "by hand.txt").write_bytes(book("Looking-Glass", "Lewis Carroll", 12))
    assert load(corpus).unfinished
    run(corpus, str(tmp_path / "by hand.txt"), is_new=False)
    assert (load(corpus).unfinished, load(corpus).skipped) == ([], [])


def test_a_server_that_fails_is_soon_left_in_peace(corpus: Path, library: Library) -> None:
    library.put(9, book("Alice", "Lewis Carroll", 9))
    for number in range(1, 9):
        library.faults[library.put(number, b"")] = [403]
    outcome = run(corpus, "gutenberg:1,2,3,4,5,6,7,8", base=library.base, fetch=True)
    assert sum(library.asked.values()) == 3
    assert len(outcome.missing) == 8
    assert outcome.barren == ["gutenberg:1,2,3,4,5,6,7,8"]
    assert not corpus.exists()


def test_a_stop_keeps_what_was_read_and_the_same_words_go_on(corpus: Path, tmp_path: Path) -> None:
    rows = [json.dumps({"text": prose(3_000, seed)}) for seed in range(12)]
    (tmp_path / "rows.jsonl").write_text("\n".join(rows))
    beats = iter(range(1000))
    with pytest.raises(Stopped):
        run(corpus, str(tmp_path / "rows.jsonl"), should_stop=lambda: next(beats) > 6, shard_bytes=8_000)
    kept = load(corpus)
    assert 0 < sum(1 for _ in kept.documents) < 12
    assert kept.unfinished
    outcome = run(corpus, str(tmp_path / "rows.jsonl"), shard_bytes=8_000)
    assert outcome.added + outcome.known == 12
    assert [entry.where.rpartition(":")[2] for entry in load(corpus).documents] == [
        str(n) for n in range(1, 13)
    ]
    assert load(corpus).unfinished == []


def test_a_shard_that_the_manifest_does_not_know_is_listed_and_a_torn_one_is_forgotten(
    corpus: Path, texts: Path
) -> None:
    run(corpus, str(texts), shard_bytes=1)
    whole = load(corpus)
    (corpus / MANIFEST).write_text("{torn")  # killed before the manifest, or the disk's fault
    (corpus / PART).write_bytes(b'{"text": "half')
    assert load(corpus).shards == whole.shards
    again = run(corpus, str(texts), is_new=False)
    assert (again.added, again.known) == (0, 3)
    assert not (corpus / PART).exists()
    (corpus / "texts-00001.jsonl").write_bytes(b'{"text": 1}\n')
    with pytest.raises(DataError, match="line 1 is damaged"):
        load(corpus)


def test_a_full_disk_keeps_the_shards_before(
    corpus: Path, texts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync = os.fsync
    full = iter([False] * 4 + [True])  # two writes of the manifest, one shard and its folder

    def failing(descriptor: int) -> None:
        if next(full, True):
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(OSError, match="No space"):
        run(corpus, str(texts), shard_bytes=1)
    monkeypatch.setattr(os, "fsync", fsync)
    assert not list(corpus.glob(".texts*"))
    kept = sum(1 for _ in load(corpus).documents)
    assert kept < 2
    outcome = run(corpus, str(texts))
    assert (outcome.known > 0, outcome.added) == (kept > 0, 2 - kept)


def test_names_that_clash_are_refused(corpus: Path, texts: Path) -> None:
    with pytest.raises(DataError, match="no corpus books"):
        run(corpus, str(texts), is_new=False)
    run(corpus, str(texts))
    with pytest.raises(DataError, match="a corpus books of 2 documents already"):
        run(corpus, str(texts))
    assert sum(1 for _ in load(corpus).documents) == 2
    stranger = corpus.with_name("other")
    stranger.mkdir()
    (stranger / "mine.txt").write_text("mine")
    with pytest.raises(DataError, match="is no corpus, it holds mine"):
        run(stranger, str(texts))
    assert (stranger / "mine.txt").read_text() == "mine"


def test_two_do_not_gather_into_one(corpus: Path, texts: Path) -> None:
    run(corpus, str(texts))
    with held(corpus, is_new=False), pytest.raises(HeldError):
        run(corpus, str(texts), is_new=False)
    assert run(corpus, str(texts), is_new=False).known == 3


def test_a_file_that_may_not_be_read_is_skipped(
    corpus: Path, texts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Path.read_bytes

    def refusing(path: Path) -> bytes:
        if path.name == "b.txt":  # root may read everything, so permissions would refuse nothing
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refusing)
    outcome = run(corpus, str(texts))
    assert (outcome.added, outcome.duplicates) == (1, 1)
    assert "b.txt (Permission denied)" in outcome.skipped[0].because
