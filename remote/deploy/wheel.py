"""Our own wheel, packed from the files that this very program runs from: same files, same bytes, anywhere.

An installed cockpit has no source tree, and a checkout's version says nothing of its files: hence the hash.
Members are stored, not compressed: zlib's bytes differ from one of its versions to the next.
"""

import base64
import hashlib
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import remote
import trainer
from remote.deploy.requirements import BASE, NVIDIA, TRAIN
from remote.hosts.client_state import make_client_folder
from remote.protocol.version import version
from trainer.config.locate import configs_dir
from trainer.run.disk.atomic import write_bytes

SUFFIXES = frozenset({".py", ".txt", ".yaml", ".typed", ".cpp"})
LONG_AGO = (1980, 1, 1, 0, 0, 0)
MODE = 0o100644 << 16
TAGS = "Wheel-Version: 1.0\nGenerator: photinus\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
SCRIPTS = "[console_scripts]\nphotinus-train = trainer.cli:main\n"


@dataclass(frozen=True, slots=True)
class Wheel:
    """A packed wheel; `version` has the beginning of the files' hash as its local part."""

    name: str
    version: str
    sha256: str
    data: bytes


def sources() -> dict[str, bytes]:
    """What belongs on a host: name in the wheel -> content, of the packages that are running now."""
    roots = {"trainer": _folder(trainer), "remote": _folder(remote), "trainer/configs": configs_dir()}
    return {name: path.read_bytes() for top, root in roots.items() for name, path in _files(top, root)}


def pack(files: Mapping[str, bytes], base_version: str) -> Wheel:
    """The wheel of `files`: the same bytes for the same files and version."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode() + files[name])
    local = f"{public(base_version)}+{digest.hexdigest()[:8]}"
    folder = f"photinus-{local}.dist-info"
    members = dict(sorted(files.items())) | {
        f"{folder}/METADATA": metadata(local).encode(),
        f"{folder}/WHEEL": TAGS.encode(),
        f"{folder}/entry_points.txt": SCRIPTS.encode(),
    }
    rows = [f"{name},sha256={_hash(data)},{len(data)}" for name, data in members.items()]
    members[f"{folder}/RECORD"] = "\n".join([*rows, f"{folder}/RECORD,,", ""]).encode()
    data = _zip(members)
    return Wheel(f"photinus-{local}-py3-none-any.whl", local, hashlib.sha256(data).hexdigest(), data)


def our_wheel() -> Wheel:
    """The wheel of this installation; a copy is kept in the client's `wheels`.

    Raises:
        OSError: a file cannot be read, or the copy not be written.
    """
    wheel = pack(sources(), version())
    path = make_client_folder("wheels") / wheel.name
    if not path.is_file() or path.stat().st_size != len(wheel.data):
        write_bytes(path, wheel.data)
        for old in sorted(path.parent.glob("photinus-*.whl"), key=lambda one: one.stat().st_mtime)[:-4]:
            old.unlink(missing_ok=True)
    return wheel


def metadata(local: str) -> str:
    """METADATA: what a host needs, and nothing of the cockpit."""
    rows = ["Metadata-Version: 2.1", "Name: photinus", f"Version: {local}"]
    rows += ["Summary: The host's part of Photinus: trainer, agent, supervisor.", "Requires-Python: >=3.11"]
    rows += [f"Requires-Dist: {name}>={floor}" for name, floor in BASE.items()]
    for extra, names in (("train", TRAIN), ("nvidia", NVIDIA)):
        rows.append(f"Provides-Extra: {extra}")
        rows += [f'Requires-Dist: {name}>={floor}; extra == "{extra}"' for name, floor in names.items()]
    return "\n".join([*rows, ""])


def public(text: str) -> str:
    """The part of a version before `+`; `0` for what is no version."""
    found = re.match(r"\d+(?:\.\d+)*(?:(?:a|b|rc)\d+)?(?:\.post\d+)?(?:\.dev\d+)?", text)
    return found[0] if found else "0"


def _files(top: str, root: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(root.rglob("*")):
        inside = path.relative_to(root)
        hidden = any(part.startswith(".") or part == "__pycache__" for part in inside.parts)
        if path.suffix in SUFFIXES and not hidden and path.is_file():
            yield f"{top}/{inside.as_posix()}", path


def _folder(package: object) -> Path:
    file = getattr(package, "__file__", None)
    if not isinstance(file, str):
        raise FileNotFoundError("a package of photinus has no file; install photinus again")
    return Path(file).parent


def _zip(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, LONG_AGO)
            info.external_attr, info.create_system = MODE, 3
            archive.writestr(info, data)
    return buffer.getvalue()


def _hash(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
