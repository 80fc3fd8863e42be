"""Whatever happens to a followed file, and however often the link is lost, a mirror holds each byte once."""

import os
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remote.agent.streams.source import StreamSource, WatchedFile
from remote.agent.streams.tail import Tail
from tests.remote.mirror import Mirror
from tests.trials import trials
from trainer.run.layout import RunDir

EXAMPLES = trials(100, 5000)
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 400)),
        st.tuples(st.just("next"), st.integers(0, 60)),
        st.tuples(st.just("cut"), st.integers(0, 300)),
        st.tuples(st.just("rewrite"), st.integers(0, 400)),
        st.tuples(st.just("replace"), st.integers(0, 200)),
        st.tuples(st.just("poll"), st.integers(0, 3)),
        st.tuples(st.just("drop"), st.just(0)),
    ),
    max_size=40,
)


class Writer:
    """A log that is written, goes on in further files, is cut, rewritten and replaced.

    Attributes:
        versions: content of each file as it was when something other than an append happened to it.
        whole: indices of those that a reader who was there must have got in full.
    """

    def __init__(self, run: RunDir) -> None:
        self._run, self._number, self._lines = run, 1, count()
        self.versions: list[bytes] = []
        self.whole: set[int] = set()
        self.path.touch()

    @property
    def path(self) -> Path:
        return self._run.log(self._number)

    def do(self, act: str, n: int) -> None:
        if act == "append":
            with self.path.open("ab") as file:
                file.write(self._text(n))
            return
        if act == "next":
            self.whole.add(len(self.versions))
        self.versions.append(self.path.read_bytes())
        if act == "next":
            self._number += 1
            self.path.write_bytes(self._text(n))
        elif act == "cut":
            os.truncate(self.path, min(n, len(self.versions[-1])))
        elif act == "rewrite":
            self.path.write_bytes(self._text(n))
        else:
            self.path.rename(self.path.with_suffix(f".old{next(self._lines)}"))
            self.path.write_bytes(self._text(n))

    def _text(self, n: int) -> bytes:
        """Never twice the same, as lines with a time in them are not."""
        return b"".join(b"%06d\n" % next(self._lines) for _ in range(n // 7 + 1)) if n else b""


def play(acts: list[tuple[str, int]], folder: Path, make: type[Tail] = Tail) -> tuple[Writer, Mirror]:
    run = RunDir(folder / "demo-abcdef").create()
    writer, mirror = Writer(run), Mirror(StreamSource(run, "log"), make)
    mirror.poll()
    for act, n in acts:
        if act == "poll":
            mirror.poll(n if n < 3 else 1 << 30)
        elif act == "drop":
            mirror.drop()
        else:
            writer.do(act, n)
    mirror.poll()
    return writer, mirror


def judge(writer: Writer, mirror: Mirror) -> None:
    """Each generation is the beginning of a version, in order; what had to come whole did, and the last."""
    versions = [*writer.versions, writer.path.read_bytes()]
    at = 0
    seen: set[int] = set()
    for gen in sorted(mirror.kept):
        held = mirror.kept[gen]
        fits = [i for i in range(at, len(versions)) if versions[i].startswith(held)]
        assert fits, f"generation {gen} is no beginning of any version"
        at = fits[0]
        seen |= {i for i in fits if versions[i] == held}
    if versions[-1]:
        assert mirror.kept[max(mirror.kept)] == versions[-1]
    for i in writer.whole:
        assert i in seen or not versions[i], f"version {i} did not come whole"


@pytest.mark.chaos
@pytest.mark.timeout(1200)
@pytest.mark.claim(
    "append, rotate, cut, rewrite, replace, lost links in any order: each byte once in the mirror"
)
@settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    database=None,
)
@given(ACTS)
def test_each_byte_once_whatever_happens_to_the_file(
    record_property: Callable[[str, object], None], acts: list[tuple[str, int]]
) -> None:
    record_property("trials", EXAMPLES)
    with tempfile.TemporaryDirectory() as folder:
        judge(*play(acts, Path(folder)))


class Trusting(Tail):
    """The negative control: it takes any file of sufficient length for the one it knows."""

    def _is_same(self) -> bool:
        return os.fstat(self._fd).st_size >= self._offset


def test_control_without_the_check_of_the_bytes_before_the_cursor_a_rewritten_log_is_mixed_up(
    tmp_path: Path,
) -> None:
    acts = [("append", 100), ("poll", 3), ("rewrite", 300), ("poll", 3)]
    judge(*play(acts, tmp_path / "right"))
    with pytest.raises(AssertionError):
        judge(*play(acts, tmp_path / "wrong", Trusting))


def test_a_file_rewritten_to_the_very_same_size_is_noticed(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "demo-abcdef").create()
    run.log(1).write_bytes(b"one two\n")
    mirror = Mirror(StreamSource(run, "log"))
    mirror.poll()
    run.log(1).write_bytes(b"two one\n")
    mirror.poll()
    assert list(mirror.kept.values()) == [b"one two\n", b"two one\n"]


def test_a_file_that_was_replaced_by_one_with_the_same_last_lines_is_told_by_its_inode(
    tmp_path: Path,
) -> None:
    """64 equal bytes before the cursor do not make it the same file."""
    same = b"waiting for data\n" * 8
    run = RunDir(tmp_path / "demo-abcdef").create()
    run.log(1).write_bytes(b"first\n" + same)
    mirror = Mirror(StreamSource(run, "log"))
    mirror.poll()
    mirror.drop()
    run.log(1).rename(tmp_path / "away")
    run.log(1).write_bytes(b"other\n" + same)
    mirror.poll()
    assert list(mirror.kept.values()) == [b"first\n" + same, b"other\n" + same]


def test_a_reused_inode_is_told_by_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(b"one\n" * 40)
    mirror = Mirror(WatchedFile(path))
    mirror.poll()
    mirror.drop()
    inode = path.stat().st_ino
    with path.open("r+b") as file:  # the same inode, as a file system may give it to the next file
        file.write(b"two\n" * 50)
    assert path.stat().st_ino == inode
    mirror.poll()
    assert list(mirror.kept.values()) == [b"one\n" * 40, b"two\n" * 50]


def test_what_was_rotated_away_while_nobody_looked_is_drained_first(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    path.write_bytes(b"one\n")
    mirror = Mirror(WatchedFile(path))
    mirror.poll()
    mirror.drop()
    with path.open("ab") as file:
        file.write(b"last words\n")
    path.rename(tmp_path / "train.log.1")
    path.write_bytes(b"new\n")
    mirror.poll()
    assert list(mirror.kept.values()) == [b"one\nlast words\n", b"new\n"]


def test_garbage_comes_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "garbage"
    data = (
        b"\0" * 70_000
        + b"\xff\xfe\x1b[2J"
        + "Σ".encode()[:1]
        + b"x" * (3 << 20)
        + b"\r\n"
        + os.urandom(99_999)
    )
    mirror = Mirror(WatchedFile(path))
    mirror.poll()
    for at in range(0, len(data), 333_333):
        with path.open("ab") as file:
            file.write(data[at : at + 333_333])
        mirror.poll(2)
    mirror.poll()
    assert b"".join(mirror.kept.values()) == data
