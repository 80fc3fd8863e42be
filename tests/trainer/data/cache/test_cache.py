"""The token cache: whole or absent, never stale."""

import os
import resource
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.trainer.data.prose import prose
from tests.waiting import wait_until
from trainer.config.data import DataConfig
from trainer.data import Corpus, DataError, DataProgress, Stopped, prepare
from trainer.data.cache.cache import USED
from trainer.data.stamps import stamp_of

HOUR_NS = 3600 * 10**9


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "a.txt"
    path.write_text(prose(60_000))
    rest(path)
    return path


def rest(path: Path) -> None:
    """Date a file back an hour. (Its change time stays: only waiting settles that.)"""
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns - HOUR_NS))


def prepared(path: Path, **settings: object) -> Corpus:
    config = DataConfig(source=str(path), **settings)  # type: ignore[arg-type]
    return prepare(config, cache_dir=path.parent / "cache")


def left_over(cache: Path) -> list[str]:
    return [path.name for path in cache.iterdir() if path.name.startswith(".tmp-")]


def script(body: str, *arguments: object) -> subprocess.Popen[str]:
    """Another process that prepares data."""
    words = [sys.executable, "-c", textwrap.dedent(body), *map(str, arguments)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_second_use_is_served_from_the_cache_and_equal(text: Path) -> None:
    with prepared(text, tokenizer="bpe", vocab=600) as one, prepared(text, tokenizer="bpe", vocab=600) as two:
        assert (one.from_cache, two.from_cache) == (False, True)
        assert one.fingerprint == two.fingerprint
        assert one.floors == two.floors
        assert one.meta == two.meta
        assert np.array_equal(one.train, two.train)
        assert np.array_equal(one.val, two.val)
        assert one.tokenizer.encode("the other day") == two.tokenizer.encode("the other day")
        assert isinstance(two.train, np.memmap)
        assert two.train.dtype == np.uint16


def test_the_cached_tokens_are_the_text(text: Path) -> None:
    with prepared(text, tokenizer="bpe", vocab=600) as corpus:
        back = corpus.tokenizer.decode(corpus.train.tolist()) + corpus.tokenizer.decode(corpus.val.tolist())
        assert sorted(back.split(b"\n\n")[:-1]) == sorted(text.read_bytes().split(b"\n\n"))
        assert corpus.bytes_per_token == pytest.approx(
            len(corpus.tokenizer.decode(corpus.val.tolist())) / len(corpus.val)
        )


def flip_a_bit(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2])


def remove(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("damage", [flip_a_bit, cut_short, remove])
@pytest.mark.parametrize("name", ["train.bin", "val.bin", "tokenizer.json", "meta.json"])
def test_a_damaged_entry_is_rebuilt(name: str, damage: Callable[[Path], None], text: Path) -> None:
    one = prepared(text)
    wanted = one.train.tobytes()
    one.close()
    assert prepared(text).from_cache  # undamaged, it is served
    damage(text.parent / "cache" / one.fingerprint / name)
    with prepared(text) as again:
        assert not again.from_cache
        assert again.train.tobytes() == wanted
    assert prepared(text).from_cache
    assert left_over(text.parent / "cache") == []


def test_a_removed_use_mark_is_rebuilt(text: Path) -> None:
    one = prepared(text)
    one.close()
    (text.parent / "cache" / one.fingerprint / USED).unlink()
    assert not prepared(text).from_cache
    assert prepared(text).from_cache


def test_changed_content_is_rebuilt_even_under_the_old_size_and_time(text: Path) -> None:
    prepared(text).close()
    before = text.stat()
    text.write_text(text.read_text().swapcase())
    os.utime(text, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = text.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    with prepared(text) as corpus:
        assert not corpus.from_cache
        assert corpus.tokenizer.decode(corpus.val.tolist())[:20] in text.read_bytes()


def test_a_stamp_shows_a_write_that_puts_size_and_time_back(text: Path) -> None:
    before, stamp = text.stat(), stamp_of([text], text, "x")
    assert stamp_of([text], text, "x") == stamp
    assert stamp_of([text], text, "y") != stamp

    def rewrite() -> bool:  # until the clock of the file system has moved on
        text.write_text(text.read_text().swapcase())
        os.utime(text, ns=(before.st_atime_ns, before.st_mtime_ns))
        return text.stat().st_ctime_ns != before.st_ctime_ns

    wait_until(rewrite, what="a new change time")
    assert (text.stat().st_size, text.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert stamp_of([text], text, "x").digest != stamp.digest


def test_a_touched_file_with_its_old_content_is_served(text: Path) -> None:
    prepared(text).close()
    rest(text)
    assert prepared(text).from_cache


@pytest.mark.parametrize(
    "change", [{"tokenizer": "bpe"}, {"val_fraction": 0.2}, {"block_kib": 1}, {"max_mb": 0.03}], ids=str
)
def test_another_setting_is_another_entry(change: dict[str, object], text: Path) -> None:
    one = prepared(text)
    two = prepared(text, **change)
    assert not two.from_cache
    assert one.fingerprint != two.fingerprint


def test_settings_that_touch_no_token_share_an_entry(text: Path) -> None:
    prepared(text).close()
    assert prepared(text, cache_days=3.0, vocab=999).from_cache  # a byte tokenizer has no vocab to set


def test_unsettled_input_is_never_remembered_and_settled_input_is(
    text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memo = text.parent / "cache" / "memo"
    prepared(text).close()
    assert list(memo.iterdir()) == []  # written a moment ago: it could change within the clock's grain
    monkeypatch.setattr("trainer.data.stamps.SETTLED_NS", -1)
    prepared(text).close()
    assert len(list(memo.iterdir())) == 1
    stages: list[str] = []
    config = DataConfig(source=str(text))
    with prepare(
        config, cache_dir=text.parent / "cache", progress=lambda p: stages.append(p.stage)
    ) as corpus:
        assert corpus.from_cache
    assert "hash" not in stages


def test_input_that_changes_while_it_is_read_is_read_again(text: Path) -> None:
    rewritten: list[bool] = []

    def rewrite_once(progress: DataProgress) -> None:
        if progress.stage == "encode" and not rewritten:
            rewritten.append(True)
            text.write_text(prose(50_000, seed=9))

    with prepare(
        DataConfig(source=str(text)), cache_dir=text.parent / "cache", progress=rewrite_once
    ) as corpus:
        assert rewritten
        assert corpus.tokenizer.decode(corpus.train[:200].tolist()) in text.read_bytes()


def test_input_that_never_rests_is_refused(text: Path) -> None:
    def rewrite(progress: DataProgress) -> None:
        if progress.stage == "encode":
            text.write_text(prose(50_000) + str(len(text.read_bytes())))

    with pytest.raises(DataError, match="changed each time it was read"):
        prepare(DataConfig(source=str(text)), cache_dir=text.parent / "cache", progress=rewrite)


@pytest.mark.parametrize("stage", ["hash", "read", "split", "learn", "encode", "count", "verify"])
def test_a_stop_is_honoured_in_every_stage_and_leaves_nothing(stage: str, text: Path) -> None:
    reached: list[str] = []
    asked: list[int] = []

    def should_stop() -> bool:
        asked.append(len(reached))
        return bool(reached) and reached[-1] == stage

    config = DataConfig(source=str(text), tokenizer="bpe", vocab=600)
    with pytest.raises(Stopped):
        prepare(
            config,
            cache_dir=text.parent / "cache",
            progress=lambda p: reached.append(p.stage),
            should_stop=should_stop,
        )
    assert reached[-1] == stage
    assert left_over(text.parent / "cache") == []
    prepare(config, cache_dir=text.parent / "cache").close()


BUILD = """
    import sys
    from pathlib import Path
    from trainer.config.data import DataConfig
    from trainer.data import prepare
    def tell(p):
        print(p.stage, flush=True)
        if len(sys.argv) > 3 and p.stage == sys.argv[3]:
            sys.stdin.read()
    config = DataConfig(source=sys.argv[1], tokenizer="bpe")
    with prepare(config, cache_dir=Path(sys.argv[2]), progress=tell) as c:
        print("built" if not c.from_cache else "served", c.fingerprint, len(c.train), flush=True)
"""


def test_two_processes_that_build_the_same_entry_share_it(text: Path) -> None:
    text.write_text(prose(700_000))
    cache = text.parent / "cache"
    builders = [script(BUILD, text, cache) for _ in range(3)]
    answers = [builder.communicate(timeout=50) for builder in builders]
    assert [builder.returncode for builder in builders] == [0, 0, 0], answers
    ends = [stdout.splitlines()[-1].split() for stdout, _ in answers]
    assert sorted(end[0] for end in ends) == ["built", "served", "served"]
    assert len({tuple(end[1:]) for end in ends}) == 1
    assert left_over(cache) == []


def test_a_killed_builder_leaves_no_entry_and_its_rest_is_swept(text: Path) -> None:
    cache = text.parent / "cache"
    words = [sys.executable, "-c", textwrap.dedent(BUILD), str(text), str(cache), "encode"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as builder:
        assert builder.stdout is not None
        for line in builder.stdout:
            if line.strip() == "encode":
                break
        assert len(left_over(cache)) == 1
        builder.kill()
    with prepared(text, tokenizer="bpe") as corpus:
        assert not corpus.from_cache
    assert left_over(cache) == []


def test_who_waits_for_a_builder_can_be_stopped(text: Path) -> None:
    cache = text.parent / "cache"
    words = [sys.executable, "-c", textwrap.dedent(BUILD), str(text), str(cache), "encode"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as builder:
        wait_until(lambda: cache.exists() and left_over(cache), what="the builder's folder")
        stages: list[str] = []
        config = DataConfig(source=str(text), tokenizer="bpe")
        with pytest.raises(Stopped):
            prepare(
                config,
                cache_dir=cache,
                progress=lambda p: stages.append(p.stage),
                should_stop=lambda: "wait" in stages,
            )
        assert len(left_over(cache)) == 1  # the builder's folder is his
        builder.kill()


def test_a_full_disk_is_a_data_error_with_a_remedy_and_leaves_nothing(text: Path) -> None:
    limit, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, hard))  # tokens are two bytes each: they do not fit
    try:
        with pytest.raises(DataError, match="make room"):
            prepared(text)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    assert left_over(text.parent / "cache") == []
    assert not prepared(text).from_cache


def test_a_cache_folder_that_cannot_be_made_is_a_data_error(text: Path) -> None:
    with pytest.raises(DataError) as caught:
        prepare(DataConfig(source=str(text)), cache_dir=text / "cache")
    assert caught.value.remedy
