"""The wheel: same files, same bytes; from a checkout and from an installation alike."""

import base64
import hashlib
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from remote.deploy.wheel import our_wheel, pack, public, sources
from remote.protocol.version import version

FILES = {"trainer/__init__.py": b"", "remote/a.py": b"x = 1\n", "configs/presets/p.yaml": b"a: 1\n"}


def test_the_order_of_the_files_does_not_matter() -> None:
    assert pack(FILES, "1.2").data == pack(dict(reversed(FILES.items())), "1.2").data


@pytest.mark.parametrize("changed", [{"remote/a.py": b"x = 2\n"}, {"remote/b.py": b""}])
def test_any_other_file_is_another_wheel(changed: dict[str, bytes]) -> None:
    one, other = pack(FILES, "1.2"), pack(FILES | changed, "1.2")
    assert one.sha256 != other.sha256
    assert one.name != other.name


def test_time_umask_and_place_do_not_matter(tmp_path: Path) -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "from remote.deploy.wheel import pack, sources; wheel = pack(sources(), '1.2');"
        "print(wheel.sha256, sys.modules['remote'].__file__)"
    )
    files = sources()
    hashes = set()
    for name, mask, age in (("one", 0o022, 1), ("two", 0o077, 10**9)):
        before = os.umask(mask)
        for path, data in reversed(files.items()):
            target = tmp_path / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            os.utime(target, (age, age))
        os.umask(before)
        place = str(tmp_path / name)
        (tmp_path / name / "remote" / "__pycache__").mkdir()
        (tmp_path / name / "remote" / "__pycache__" / "x.py").write_bytes(b"junk")
        (tmp_path / name / "remote" / ".x.py.swp").write_bytes(b"junk")
        done = subprocess.run(
            [sys.executable, "-P", "-c", program, place], capture_output=True, text=True, check=True
        )
        found, _, where = done.stdout.strip().partition(" ")
        assert where.startswith(place), "the copy packs itself, as an installed cockpit does"
        hashes.add(found)
    assert hashes == {pack(files, "1.2").sha256}


def test_what_is_in_it_and_what_is_not() -> None:
    wheel = pack(sources(), version())
    with zipfile.ZipFile(io.BytesIO(wheel.data)) as archive:
        names = archive.namelist()
        folder = f"photinus-{wheel.version}.dist-info"
        metadata = archive.read(f"{folder}/METADATA").decode()
        record = archive.read(f"{folder}/RECORD").decode().splitlines()
        for row in record[:-1]:
            name, digest, size = row.rsplit(",", 2)
            data = archive.read(name)
            found = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            assert (digest, int(size)) == (f"sha256={found}", len(data)), name
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert {row.rsplit(",", 2)[0] for row in record} == set(names)
    assert {"trainer/loop/train.py", "remote/agent/__main__.py", "remote/deploy/pins.txt"} <= set(names)
    assert "trainer/models/native/kernels.cpp" in names
    assert any(name.startswith("trainer/configs/presets/") for name in names)
    assert not [name for name in names if name.startswith("configs")], "a name that others have taken"
    assert not [name for name in names if name.startswith(("tui", "tests")) or "__pycache__" in name]
    assert "textual" not in metadata
    assert "paramiko" not in metadata
    assert "Requires-Dist: msgspec" in metadata
    assert wheel.name.startswith(f"photinus-{public(version())}+")


def test_an_installer_takes_it(tmp_path: Path) -> None:
    wheel = pack(sources(), version())
    (tmp_path / wheel.name).write_bytes(wheel.data)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target"]
    subprocess.run([*command, str(tmp_path / "site"), str(tmp_path / wheel.name)], check=True, timeout=50)
    assert (tmp_path / "site" / "bin" / "photinus-train").exists()
    assert (tmp_path / "site" / "trainer" / "configs" / "presets").is_dir()


def test_the_client_keeps_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "home"))
    wheel = our_wheel()
    kept = tmp_path / "home" / "client" / "wheels" / wheel.name
    assert kept.read_bytes() == wheel.data
    kept.write_bytes(b"half")
    assert our_wheel().data == kept.read_bytes()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0.1.0", "0.1.0"), ("0.1.0+abc", "0.1.0"), ("1.0rc1.dev3", "1.0rc1.dev3"), ("unknown", "0")],
)
def test_the_public_part_of_a_version(text: str, expected: str) -> None:
    assert public(text) == expected
