"""Packages are installed by their hashes: ways in which an index could give something else are refused."""

import hashlib
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from remote.deploy.requirements import HASHES, locked, normal, pins
from remote.deploy.torch_record import known_torch, record_torch
from tests.remote.deploy.stage import Stage

WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


class Index:
    """A folder that pip takes for a package index. `locked`: the hash of each wheel as it was put first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.locked: dict[str, str] = {}

    @property
    def url(self) -> str:
        return f"file://{self.folder}"

    def put(self, name: str, version: str, *, says: str = "the true one", needs: str = "") -> Path:
        place = self.folder / name
        place.mkdir(parents=True, exist_ok=True)
        path = place / f"{name}-{version}-py3-none-any.whl"
        info = f"{name}-{version}.dist-info"
        more = f"Requires-Dist: {needs}\n" if needs else ""
        names = (f"{name}.py", f"{info}/METADATA", f"{info}/WHEEL", f"{info}/RECORD")
        texts = (
            f"SAYS = {says!r}\n",
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{more}",
            WHEEL,
            "".join(f"{one},,\n" for one in names),
        )
        with zipfile.ZipFile(path, "w") as archive:
            for one, text in zip(names, texts, strict=True):
                archive.writestr(zipfile.ZipInfo(one), text)  # with one date: the same bytes each time
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        self.locked.setdefault(f"{name}=={version}", digest)
        self.list(name)
        return path

    def list(self, name: str) -> None:
        files = sorted((self.folder / name).glob("*-*"))
        hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
        rows = [
            f'<a href="{path.name}#sha256={digest}">{path.name}</a>'
            for path, digest in zip(files, hashes, strict=True)
        ]
        (self.folder / name / "index.html").write_text("<html>" + "".join(rows) + "</html>")

    def lock(self, *names: str) -> str:
        return "\n".join(f"{name} --hash=sha256:{self.locked[name]}" for name in names)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    made = Index(tmp_path / "index")
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX", "PIP_REQUIRE_HASHES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", made.url)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    return made


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path / "root")


def build(stage: Stage, **more: Any) -> tuple[dict[str, Any], str]:
    kit = stage.kit(**({"installer": "bare", "needs": ("tiny==1.0",)} | more))
    last, said = stage.build(stage.order(kit))
    return last, " ".join(said)


def installed(stage: Stage, name: str = "tiny") -> str:
    (found,) = stage.env().glob(f"lib/*/site-packages/{name}.py")
    return found.read_text()


def test_what_was_published_is_installed_and_nothing_else(
    stage: Stage, index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.put("tiny", "1.0")
    lock = index.lock("tiny==1.0")
    index.put("tiny", "1.0", says="an evil one")
    last, _ = build(stage, locked=lock)
    assert "another file than the one whose hash is known" in last["error"]["message"]
    assert "--trust-index" in last["error"]["remedy"]
    assert stage.leftovers() == []
    index.put("tiny", "1.0")
    extra = evil(tmp_path / "extra")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", extra.url)
    last, said = build(stage, locked=lock)
    assert last.get("done", {}).get("built"), (last, said)
    assert "the true one" in installed(stage), "a higher version elsewhere is not preferred"


def evil(folder: Path) -> Index:
    extra = Index(folder)
    for version in ("2.0", "1.0+evil", "1.0"):
        extra.put("tiny", version, says="an evil one")
    return extra


def test_a_higher_version_in_an_extra_index_is_refused(
    stage: Stage, index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.put("tiny", "1.0").unlink()
    index.list("tiny")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", evil(tmp_path / "extra").url)
    last, _ = build(stage, locked=index.lock("tiny==1.0"))
    assert "another file than the one whose hash is known" in last["error"]["message"]


@pytest.mark.parametrize("trusting", [False, True])
def test_a_source_archive_is_never_built(stage: Stage, index: Index, trusting: bool) -> None:
    index.put("tiny", "1.0").unlink()
    (index.folder / "tiny" / "tiny-1.0.tar.gz").write_bytes(b"with a setup.py that does what it likes")
    index.list("tiny")
    last, said = build(stage, locked=index.lock("tiny==1.0"), trust_index=trusting)
    assert "no packages for this host" in last["error"]["message"]
    assert "no source is compiled" in last["error"]["message"]
    assert ("hashes are not compared" in said) == trusting


def test_what_has_no_known_hash_is_named_and_wants_trust(stage: Stage, index: Index) -> None:
    index.put("tiny", "1.0", needs="other==3.0")
    index.put("other", "3.0")
    last, _ = build(stage, locked=index.lock("tiny==1.0"))
    assert "no hash is known" in last["error"]["message"]
    assert "other==3.0" in last["error"]["message"]
    assert "--trust-index" in last["error"]["remedy"]


def test_torch_is_recorded_at_first_and_compared_afterwards(
    stage: Stage, index: Index, tmp_path: Path
) -> None:
    builds = Index(tmp_path / "builds")
    builds.put("torch", "2.13.0")
    parts = {"needs": (), "torch": "torch==2.13.0", "index": builds.url}
    last, _ = build(stage, **parts)
    told = last["done"]
    assert (told["torch_from"], told["torch_hashes"]) == (builds.url, [builds.locked["torch==2.13.0"]])
    builds.put("torch", "2.13.0", says="an evil one")
    index.put("torch", "2.13.0", says="an evil one")
    known = {builds.url: told["torch_hashes"]}
    last, _ = build(stage, env="f" * 16, packages="q" * 16, known_torch=known, **parts)
    assert "another file than the one whose hash is known" in last["error"]["message"], (
        "and no other index asked"
    )


def test_wheels_that_were_brought_need_no_index(
    stage: Stage, index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.put("tiny", "1.0")
    brought = stage.root / "cas" / "brought-1"
    (index.folder / "tiny").rename(brought)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    last, said = build(stage, locked=index.lock("tiny==1.0"), links=str(brought))
    assert last.get("done", {}).get("built"), (last, said)
    assert not brought.exists(), "they are not kept"


def test_a_record_is_of_one_version_python_platform_and_index(home: Path) -> None:
    one, other = "a" * 64, "b" * 64
    record_torch("torch==1", (3, 11, 2), "linux x86_64", {"torch_from": "https://i", "torch_hashes": [one]})
    record_torch("torch==1", (3, 11, 2), "linux x86_64", {"torch_from": "https://i", "torch_hashes": [other]})
    record_torch("torch==1", (3, 11, 2), "linux x86_64", {"torch_from": "", "torch_hashes": [other, "x", 3]})
    assert known_torch("torch==1", (3, 11, 9), "linux x86_64") == {"https://i": [one], "": [other]}
    assert known_torch("torch==1", (3, 12, 0), "linux x86_64") == {}
    assert known_torch("torch==1", (3, 11, 0), "darwin arm64") == {}
    (home / "client" / "torch_hashes.json").write_text("[")
    assert known_torch("torch==1", (3, 11, 2), "linux x86_64") == {}


def test_every_pin_but_torch_has_its_hashes() -> None:
    text = HASHES.read_text()
    for name, version in pins().items():
        block = locked([f"{name}=={version}"], "")
        assert ("--hash=sha256:" in block) == (name != "torch"), name
        assert normal(block.partition("==")[0]) == name
    assert text.count("--hash=sha256:") > 100
    assert sys.version_info >= (3, 11)
