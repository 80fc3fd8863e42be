"""Which token caches go."""

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tests.trainer.data.prose import prose
from trainer.config.data import DataConfig
from trainer.data import Corpus, prepare
from trainer.data.cache.cache import USED, TokenCache
from trainer.data.cache.prune import list_entries, prune

DAY = 86400.0


@pytest.fixture
def cache(tmp_path: Path) -> TokenCache:
    return TokenCache(tmp_path / "cache")


def make(cache: TokenCache, seed: int, age_days: float) -> str:
    """An entry that was used some days ago and is not in use."""
    path = cache.folder.parent / f"{seed}.txt"
    path.write_text(prose(30_000, seed))
    with open_corpus(cache, seed) as corpus:
        name = corpus.fingerprint
    when = time.time() - age_days * DAY
    os.utime(cache.folder / name / USED, (when, when))
    return name


def open_corpus(cache: TokenCache, seed: int) -> Corpus:
    config = DataConfig(source=str(cache.folder.parent / f"{seed}.txt"), cache_days=1e6, cache_gb=1e6)
    return prepare(config, cache_dir=cache.folder)


def names(cache: TokenCache) -> set[str]:
    return {entry.name for entry in list_entries(cache.folder)}


def test_what_was_unused_too_long_goes_and_the_rest_stays(cache: TokenCache) -> None:
    old, young = make(cache, 1, 8), make(cache, 2, 6)
    assert prune(cache, days=7, gb=1) == [old]
    assert names(cache) == {young}


def test_the_least_recently_used_go_until_the_rest_fits(cache: TokenCache) -> None:
    oldest, middle, newest = make(cache, 1, 3), make(cache, 2, 2), make(cache, 3, 1)
    size = {entry.name: entry.bytes for entry in list_entries(cache.folder)}
    assert prune(cache, days=7, gb=(size[middle] + size[newest] + 1) / 1e9) == [oldest]
    assert names(cache) == {middle, newest}


def test_using_an_entry_makes_it_the_most_recently_used(cache: TokenCache) -> None:
    oldest, newest = make(cache, 1, 3), make(cache, 2, 1)
    open_corpus(cache, 1).close()
    size = {entry.name: entry.bytes for entry in list_entries(cache.folder)}
    assert prune(cache, days=7, gb=(size[oldest] + 1) / 1e9) == [newest]


def test_an_entry_in_use_is_never_removed_until_it_is_let_go(cache: TokenCache) -> None:
    name = make(cache, 1, 0)
    corpus = open_corpus(cache, 1)
    assert prune(cache, days=0, gb=0) == []
    assert names(cache) == {name}
    corpus.close()
    assert prune(cache, days=0, gb=0) == [name]


def test_an_entry_that_another_process_uses_stays_until_that_process_is_gone(cache: TokenCache) -> None:
    name = make(cache, 1, 30)
    script = """
        import sys
        from pathlib import Path
        from trainer.config.data import DataConfig
        from trainer.data import prepare
        corpus = prepare(DataConfig(source=sys.argv[1], cache_days=1e6), cache_dir=Path(sys.argv[2]))
        print(corpus.from_cache, flush=True)
        sys.stdin.read()
    """
    words = [
        sys.executable,
        "-c",
        textwrap.dedent(script),
        str(cache.folder.parent / "1.txt"),
        str(cache.folder),
    ]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as user:
        assert user.stdout is not None
        assert user.stdout.readline().strip() == "True"
        assert prune(cache, days=0, gb=0) == []
        user.kill()
        user.wait(timeout=10)
    assert prune(cache, days=0, gb=0) == [name]


def test_an_expired_entry_is_rebuilt_not_served(cache: TokenCache) -> None:
    make(cache, 1, 8)
    config = DataConfig(source=str(cache.folder.parent / "1.txt"), cache_days=7)
    assert not prepare(config, cache_dir=cache.folder).from_cache
    make(cache, 2, 6)
    config = DataConfig(source=str(cache.folder.parent / "2.txt"), cache_days=7)
    assert prepare(config, cache_dir=cache.folder).from_cache


def test_what_is_not_ours_is_left_alone(cache: TokenCache) -> None:
    (cache.folder / "thesis").mkdir()
    (cache.folder / "thesis" / "only-copy.txt").write_text("x")
    (cache.folder / ".tmp-mine").mkdir()
    make(cache, 1, 30)
    prune(cache, days=0, gb=0)
    assert (cache.folder / "thesis" / "only-copy.txt").exists()
    assert (cache.folder / ".tmp-mine").exists()
    assert names(cache) == set()
