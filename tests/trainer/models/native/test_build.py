"""Compiling the kernels: once, and in words where it cannot be done."""

import os
import shutil
from pathlib import Path

import pytest

from trainer.models.native import NativeUnavailableError, build, library
from trainer.step.kernels import default_kernel_cache


def script(folder: Path, body: str) -> str:
    """Return the path of an executable that plays a compiler."""
    path = folder / "cxx"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_a_library_is_compiled_once_and_announced(tmp_path: Path) -> None:
    compiler = script(tmp_path, 'while [ "$1" != -o ]; do shift; done; echo built > "$2"')
    told: list[str] = []
    made, compiled = build.built(tmp_path / "cache", lambda: told.append("now"), compiler)
    assert (made.read_text(), compiled, told) == ("built\n", True, ["now"])
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700
    assert build.built(tmp_path / "cache", lambda: told.append("now"), compiler) == (made, False)
    assert told == ["now"]
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [made.name]


def test_another_source_is_another_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = build.fingerprint("/usr/bin/c++")
    (tmp_path / "k.cpp").write_text("int x;")
    monkeypatch.setattr(build, "SOURCE", tmp_path / "k.cpp")
    assert build.fingerprint("/usr/bin/c++") != before


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("echo 'k.cpp:1: error: no such thing' >&2; exit 1", "no such thing"),
        ("exit 4", "exit 4"),
        ("exec sleep 60", "took longer than 0 s"),
    ],
)
def test_a_compiler_that_fails_is_told_in_a_sentence(tmp_path: Path, body: str, said: str) -> None:
    with pytest.raises(NativeUnavailableError, match=said):
        build.built(tmp_path / "cache", compiler=script(tmp_path, body), limit_s=0.2)
    assert list((tmp_path / "cache").iterdir()) == []


def test_without_a_compiler_or_a_place_there_are_no_kernels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NativeUnavailableError, match="cannot be written"):
        build.built(tmp_path / "file" / "cache", compiler=script(tmp_path, "exit 0"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NativeUnavailableError, match="no C"):
        build.built(tmp_path / "cache")


def test_what_is_no_library_is_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken.so").write_text("no library")
    monkeypatch.setattr(library, "built", lambda *_: (tmp_path / "broken.so", False))
    before = library.enabled()
    with pytest.raises(NativeUnavailableError, match="cannot be loaded"):
        library.enable(tmp_path)
    assert library.enabled() == before


def test_the_source_travels_with_the_package() -> None:
    assert build.SOURCE.is_file()
    assert default_kernel_cache({"HOME": "/h"}) == Path("/h/.cache/photinus/kernels")
    assert default_kernel_cache({"HOME": "/h", "XDG_CACHE_HOME": "/x"}) == Path("/x/photinus/kernels")
    assert shutil.which("sh")


@pytest.fixture
def planted(tmp_path: Path) -> tuple[Path, str]:
    """A cache with a library under the very name that ours will have, and the compiler that gives it."""
    compiler = script(tmp_path, 'while [ "$1" != -o ]; do shift; done; echo built > "$2"')
    cache = tmp_path / "place" / "photinus" / "kernels"
    cache.mkdir(mode=0o700, parents=True)
    (cache / f"kernels-{build.fingerprint(compiler)}.so").write_text("planted")
    assert build.built(cache, compiler=compiler)[0].read_text() == "planted", (
        "the control: it would be loaded"
    )
    return cache, compiler


@pytest.mark.parametrize("mode", [0o777, 0o770])
@pytest.mark.parametrize("below", ["", "photinus", "photinus/kernels"])
def test_a_cache_that_others_may_write_is_not_loaded_from(
    planted: tuple[Path, str], below: str, mode: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, compiler = planted
    monkeypatch.setattr("trainer.run.disk.ownership._is_own_group", lambda _gid: False)
    (cache.parents[1] / below).chmod(mode)
    with pytest.raises(NativeUnavailableError, match="chmod go-w"):
        build.built(cache, compiler=compiler)


def test_a_sticky_folder_above_is_fine_and_a_link_is_not(planted: tuple[Path, str], tmp_path: Path) -> None:
    cache, compiler = planted
    cache.parents[1].chmod(0o1777)
    assert build.built(cache, compiler=compiler)[1] is False
    (tmp_path / "link").symlink_to(cache)
    with pytest.raises(NativeUnavailableError, match="symbolic link"):
        build.built(tmp_path / "link", compiler=compiler)


@pytest.mark.parametrize("how", ["link", "writable", "foreign"])
def test_a_planted_library_is_not_loaded(planted: tuple[Path, str], how: str, tmp_path: Path) -> None:
    cache, compiler = planted
    (library,) = cache.iterdir()
    if how == "link":
        library.rename(tmp_path / "elsewhere")
        library.symlink_to(tmp_path / "elsewhere")
    elif how == "writable":
        library.chmod(0o666)
    elif os.geteuid():
        pytest.skip("only root can give a file to another user")
    else:
        os.chown(library, 65534, 65534)
    with pytest.raises(NativeUnavailableError, match="yours alone"):
        build.built(cache, compiler=compiler)
