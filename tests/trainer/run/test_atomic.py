import errno
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.trials import trials
from trainer.run.disk.atomic import create_json, read_json, take_name, write_bytes, write_json
from trainer.run.run_errors import RunError


def test_files_are_private_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    write_json(path, {"R": 0.5, "name": "Kuramoto–Σ"})
    assert read_json(path) == {"R": 0.5, "name": "Kuramoto–Σ"}
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["state.json"]


def test_absent_is_none_and_malformed_is_an_error(tmp_path: Path) -> None:
    assert read_json(tmp_path / "none.json") is None
    (tmp_path / "torn.json").write_text('{"a": ')
    with pytest.raises(RunError, match=r"torn\.json"):
        read_json(tmp_path / "torn.json")
    (tmp_path / "null.json").write_text("null")
    with pytest.raises(RunError, match=r"null\.json holds null"):
        read_json(tmp_path / "null.json")


def test_non_finite_number_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    write_json(path, {"loss": 1.0})
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"loss": float("nan")})
    assert read_json(path) == {"loss": 1.0}


def test_two_who_bring_one_name_at_once_both_have_their_file(tmp_path: Path) -> None:
    parts = [tmp_path / f".{number}.part" for number in range(16)]
    for part in parts:
        part.write_text(part.name)
    gate = threading.Barrier(len(parts))

    def bring(part: Path) -> Path:
        gate.wait()
        return take_name(part, tmp_path / "a.txt")

    with ThreadPoolExecutor(len(parts)) as pool:
        names = list(pool.map(bring, parts))
    assert len({*names}) == len(parts)
    assert {path.read_text() for path in names} == {part.name for part in parts}
    assert sorted(tmp_path.iterdir()) == sorted(names)
    with pytest.raises(FileNotFoundError):
        take_name(parts[0], tmp_path / "b.txt")


def test_a_disk_without_hard_links_takes_names_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("trainer.run.disk.atomic.os.link", refuse)
    (tmp_path / ".x.part").write_text("x")
    assert take_name(tmp_path / ".x.part", tmp_path / "a.txt").read_text() == "x"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_of_many_creators_one_wins_and_all_read_its_content(tmp_path: Path) -> None:
    path = tmp_path / "start.json"
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda n: create_json(path, {"n": n}), range(40)))
    assert won.count(True) == 1
    assert read_json(path) == {"n": won.index(True)}
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.chaos
@pytest.mark.timeout(300)  # make chaos: 40 writers
def test_reader_never_sees_half_a_file_of_a_writer_that_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    write_json(path, {"n": 0, "pad": "x" * 5000})
    code = (
        "import sys, itertools; from pathlib import Path; from trainer.run.disk.atomic import write_json\n"
        "for n in itertools.count(1): write_json(Path(sys.argv[1]), {'n': n, 'pad': 'x' * 5000})"
    )
    for _ in range(trials(3, 40)):
        writer = subprocess.Popen([sys.executable, "-P", "-c", code, str(path)])
        seen: set[int] = set()
        while len(seen) < 10:
            value = read_json(path)
            assert isinstance(value, dict)
            assert len(value["pad"]) == 5000
            seen.add(value["n"])
        writer.kill()
        writer.wait()
        assert read_json(path) is not None


def test_write_into_a_missing_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_bytes(tmp_path / "no" / "file", b"x")


def test_old_file_stays_when_the_folder_is_read_only(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root writes everywhere")
    path = tmp_path / "state.json"
    write_json(path, {"n": 1})
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(PermissionError):
            write_json(path, {"n": 2})
    finally:
        tmp_path.chmod(0o700)
    assert read_json(path) == {"n": 1}
