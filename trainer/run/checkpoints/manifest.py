"""Checkpoints as files: list, verify, choose. No torch: the manifest proves every byte beside it."""

import hashlib
import json
import math
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from trainer.run.bounds import why_no_number
from trainer.run.disk.atomic import encode
from trainer.run.disk.small_record import decode_record, open_plain, read_small
from trainer.run.run_errors import CheckpointError, RecordError

NAME = re.compile(r"step-([0-9]{8,16})")
MANIFEST = "state.json"
SEAL = "seal"
IMPORTED = "imported"
"""The kind of a checkpoint that holds weights of another program, and no optimizer."""
CHUNK = 1 << 20
MANIFEST_MAX = 16 << 20
MANIFEST_DEPTH = 64  # the trainer keeps its own state there, too
Direction = Literal["min", "max"]


@dataclass(frozen=True, slots=True)
class FileProof:
    """Size and SHA-256 that a file of a checkpoint must have."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What `state.json` says. `raw` holds everything, the trainer's own keys too.

    Attributes:
        parent: `RUN_ID/step-NNNNNNNN` or `step-NNNNNNNN` that training continued from, "" for none.
        metrics: name -> value, at this step; `primary` names the one that ranks, `direction` says how.
    """

    step: int
    tokens: int = 0
    kind: str = "periodic"
    parent: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    primary: str = "val_ce"
    direction: Direction = "min"
    files: Mapping[str, FileProof] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """Size of all files, without the manifest."""
        return sum(proof.bytes for proof in self.files.values())

    @property
    def score(self) -> float | None:
        """The primary metric turned so that lower is better; None where it was not measured."""
        value = self.metrics.get(self.primary)
        return value if value is None or self.direction == "min" else -value

    @classmethod
    def from_json(cls, raw: object) -> "Manifest":
        """Read what the trainer wrote. A metric may be a number or `{"value": x, "direction": "max"}`.

        Raises:
            CheckpointError: a field is missing or of the wrong kind.
        """
        try:
            if not isinstance(raw, dict):
                raise TypeError("not an object")
            primary = str(raw.get("primary", "val_ce"))
            return cls(
                step=_count("step", raw["step"]),
                tokens=_count("tokens", raw.get("tokens", 0)),
                kind=str(raw.get("kind", "periodic")),
                parent=str(raw.get("parent") or ""),
                metrics=_metrics(raw.get("metrics") or {}),
                primary=primary,
                direction=_direction(raw, primary),
                files={
                    name: FileProof(_count("bytes", proof["bytes"]), str(proof["sha256"]))
                    for name, proof in raw["files"].items()
                },
                raw=raw,
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise CheckpointError(f"malformed manifest: {str(error)[:200]!r}") from error


@dataclass(frozen=True, slots=True)
class CheckpointInfo:
    """One folder of `checkpoints/`, hashed no further than its manifest. `manifest` is None if unreadable."""

    path: Path
    step: int
    manifest: Manifest | None

    @property
    def name(self) -> str:
        """`step-NNNNNNNN`."""
        return self.path.name


def checkpoint_name(step: int) -> str:
    """The folder of the checkpoint after `step` steps."""
    return f"step-{step:08d}"


def list_checkpoints(folder: Path) -> list[CheckpointInfo]:
    """Every checkpoint, by integer step, oldest first; drafts and foreign files are skipped."""
    found = []
    for path in folder.iterdir() if folder.is_dir() else ():
        match = NAME.fullmatch(path.name)
        if match and path.is_dir():
            found.append(CheckpointInfo(path, int(match[1]), _peek(path)))
    return sorted(found, key=lambda info: info.step)


def seal(values: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest that proves itself too: `seal` is the SHA-256 of everything else in it."""
    rest = {key: value for key, value in values.items() if key != SEAL}
    return rest | {SEAL: hashlib.sha256(_canonical(rest)).hexdigest()}


def manifest_sha256(path: Path) -> str:
    """SHA-256 of the bytes of a checkpoint's manifest: its name in events, acks and `show`.

    Raises:
        CheckpointError: there is no manifest.
    """
    return hashlib.sha256(read_manifest(path)).hexdigest()


def read_manifest(path: Path) -> bytes:
    """The bytes of a checkpoint's manifest.

    Raises:
        CheckpointError: there is none, or what is there is no plain file of a bearable size.
    """
    try:
        data = read_small(path / MANIFEST, MANIFEST_MAX)
    except RecordError as error:
        raise CheckpointError(f"{path.name}: its manifest cannot be read: {error}") from error
    if data is None:
        raise CheckpointError(f"{path.name}: it has no manifest; use another checkpoint")
    return data


def verify(path: Path, sha256: str = "") -> Manifest:
    """Prove a checkpoint byte by byte; `sha256` is what its manifest must have, where that is known.

    Raises:
        CheckpointError: something is missing, torn or changed; the message names it.
    """
    if sha256 and manifest_sha256(path) != sha256:
        raise CheckpointError(f"{path.name}: the manifest is not the one that was announced")
    manifest = _read(path)
    if match := NAME.fullmatch(path.name):
        _demand(int(match[1]) == manifest.step, path, f"the manifest is of step {manifest.step}")
    _demand(bool(manifest.files), path, "the manifest lists no file")
    for name, proof in manifest.files.items():
        _demand(Path(name).name == name and name not in (".", ".."), path, f"{name!r} is no plain file name")
        _verify_file(path, name, proof)
    return manifest


def newest_valid(folder: Path, talk: Callable[[str], None] | None = None) -> CheckpointInfo | None:
    """The newest checkpoint that proves itself; `talk` hears why newer ones were passed over."""
    for info in reversed(list_checkpoints(folder)):
        try:
            manifest = verify(info.path)
        except CheckpointError as error:
            if talk:
                talk(f"passed over: {error}")
            continue
        return CheckpointInfo(info.path, info.step, manifest)
    return None


def best_valid(folder: Path, talk: Callable[[str], None] | None = None) -> CheckpointInfo | None:
    """The best checkpoint by its primary metric that proves itself; None where none was ever scored."""
    found = {info.name: info for info in list_checkpoints(folder)}
    for name in ranked((info.name, info.step, info.manifest) for info in found.values()):
        try:
            return CheckpointInfo(found[name].path, found[name].step, verify(found[name].path))
        except CheckpointError as error:
            if talk:
                talk(f"passed over: {error}")
    return None


def _verify_file(path: Path, name: str, proof: FileProof) -> None:
    digest = hashlib.sha256()
    size = 0
    try:
        with os.fdopen(open_plain(path / name), "rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except (OSError, RecordError) as error:
        raise CheckpointError(f"{path.name}: {name} cannot be read: {error}") from error
    _demand(size == proof.bytes, path, f"{name} has {size} bytes, not {proof.bytes}: it is torn")
    _demand(digest.hexdigest() == proof.sha256, path, f"{name} was changed: its SHA-256 does not match")


def _demand(holds: bool, path: Path, why: str) -> None:
    if not holds:
        raise CheckpointError(f"{path.name}: {why}; use another checkpoint")


def parse_manifest(data: bytes, name: str) -> Manifest:
    """What the bytes of a manifest say, its own seal checked; `name` is what messages call its checkpoint.

    Raises:
        CheckpointError: not JSON, malformed, or changed.
    """
    try:
        raw = decode_record(data, f"the manifest of {name}", MANIFEST_DEPTH)
    except RecordError as error:
        raise CheckpointError(f"{name}: its manifest cannot be read: {str(error)[:200]}") from error
    if (
        isinstance(raw, dict)
        and SEAL in raw
        and (seal(raw)[SEAL] != raw[SEAL] or data not in _spellings(raw))
    ):
        raise CheckpointError(
            f"{name}: its manifest was changed: the seal does not match; use another checkpoint"
        )
    return Manifest.from_json(raw)


def ranked(found: Iterable[tuple[str, int, Manifest | None]]) -> list[str]:
    """Names of those whose primary metric was measured, the best first; of equals the later one.

    Args:
        found: name, step and manifest (None if it cannot be read) of each.
    """
    scored = [
        (manifest.score, -step, name)
        for name, step, manifest in found
        if manifest is not None and manifest.score is not None
    ]
    return [name for _, _, name in sorted(scored)]


def _read(path: Path) -> Manifest:
    return parse_manifest(read_manifest(path), path.name)


def _peek(path: Path) -> Manifest | None:
    try:
        return _read(path)
    except CheckpointError:
        return None


def _spellings(raw: Mapping[str, Any]) -> tuple[bytes, ...]:
    """How a manifest is written, by us or by Python's own encoder; 1E-05 for 1e-05 is a changed byte."""
    return encode(raw), json.dumps(raw).encode(), json.dumps(raw, separators=(",", ":")).encode()


def _canonical(values: Mapping[str, Any]) -> bytes:
    return encode(dict(sorted(values.items())))


def _count(name: str, value: Any) -> int:
    number = int(value)
    if why := why_no_number(name, number):
        raise ValueError(f"{name} {why}")
    return number


def _metrics(raw: Mapping[str, Any]) -> dict[str, float]:
    values = {name: one["value"] if isinstance(one, dict) else one for name, one in raw.items()}
    numbers = {name: float(value) for name, value in values.items() if value is not None}
    return {name: value for name, value in numbers.items() if math.isfinite(value)}


def _direction(raw: Mapping[str, Any], primary: str) -> Direction:
    one = (raw.get("metrics") or {}).get(primary)
    word = one.get("direction", "min") if isinstance(one, dict) else raw.get("direction", "min")
    return "max" if word == "max" else "min"
