"""The verb `checkpoints`: what a run has saved, as its manifests tell it. No file is hashed but those."""

import hashlib
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

from remote.agent.context import Context
from remote.agent.verb import Work
from remote.protocol.arguments import CheckpointsArgs
from remote.protocol.messages import ANSWER_MAX, encode
from remote.protocol.results import CheckpointList, CheckpointRow, ProvenFile, as_answered
from trainer.run.checkpoints.manifest import MANIFEST, MANIFEST_MAX, NAME, Manifest, parse_manifest, ranked
from trainer.run.checkpoints.pins import read_pins
from trainer.run.checkpoints.trash import trashed_names
from trainer.run.disk.small_record import read_small
from trainer.run.layout import RunDir
from trainer.run.run_errors import CheckpointError, RecordError

BREATH_S = 0.01
ROW_MAX = ANSWER_MAX >> 1
TRASH_TOLD = 200


def checkpoints(ctx: Context, args: CheckpointsArgs) -> Work[CheckpointList]:
    """The verb: newest first, those before the step `before`; `left_out` counts what did not fit.

    Raises:
        CallError: `not_found`.
    """
    run = ctx.run(args.run_id)
    found = yield from _read_all(run.checkpoints)
    pins = _pins(run)
    best = ranked((path.name, step, manifest) for step, path, manifest, _ in found)[:1]
    newest = max((step for step, _, manifest, _ in found if manifest), default=0)
    before = args.before
    rows: list[CheckpointRow] = []
    size, left_out = 0, 0
    for step, path, manifest, facts in sorted(found, key=lambda one: one[0], reverse=True):
        if before is not None and step >= before:
            continue
        flags: dict[str, Any] = {
            "name": path.name,
            "step": step,
            "best": path.name in best,
            "latest": step == newest,
            "pin": pins.get(path.name, ""),
        }
        row = CheckpointRow(**flags, **facts, **_from_manifest(manifest))
        if _bytes(row) > ROW_MAX:
            row = CheckpointRow(**flags, why="it lists more files than one answer can hold")
        size += _bytes(row)
        if size > ANSWER_MAX:
            left_out += 1
        else:
            rows.append(row)
    return CheckpointList(
        run_id=run.run_id,
        dir=str(run.checkpoints),
        checkpoints=rows,
        left_out=left_out,
        wall=time.time(),
        trash=trashed_names(run, TRASH_TOLD),
    )


def _pins(run: RunDir) -> dict[str, str]:
    """What is pinned; a file that cannot be read pins nothing here, and a retention refuses over it."""
    try:
        return read_pins(run)
    except CheckpointError:
        return {}


def _bytes(row: CheckpointRow) -> int:
    return len(encode(as_answered(row)))


Found = tuple[int, Path, Manifest | None, dict[str, Any]]


def _read_all(folder: Path) -> Generator[None, None, list[Found]]:
    found: list[Found] = []
    rested = time.monotonic()
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        match = NAME.fullmatch(path.name)
        if not match or path.is_symlink() or not path.is_dir():
            continue
        if (one := _read(path)) is not None:
            found.append((int(match[1]), path, *one))
        if time.monotonic() - rested > BREATH_S:
            yield
            rested = time.monotonic()
    return found


def _read(path: Path) -> tuple[Manifest | None, dict[str, Any]] | None:
    """Its manifest and what is known beside it; None for one that retention has just removed."""
    file = path / MANIFEST
    try:
        data = read_small(file, MANIFEST_MAX)
        at = file.stat().st_mtime if data is not None else 0.0
    except (OSError, RecordError) as error:
        return None, {"why": f"its manifest cannot be read: {str(error)[:200]}"}
    if data is None:
        return (None, {"why": "it has no manifest"}) if path.is_dir() else None
    facts = {"sha256": hashlib.sha256(data).hexdigest(), "manifest_bytes": len(data), "at": at}
    try:
        return parse_manifest(data, path.name), facts
    except CheckpointError as error:
        return None, {**facts, "why": str(error)[:300]}


def _from_manifest(manifest: Manifest | None) -> dict[str, Any]:
    if manifest is None:
        return {}
    return {
        "readable": True,
        "kind": manifest.kind,
        "bytes": manifest.bytes,
        "files": [
            ProvenFile(name=name, bytes=proof.bytes, sha256=proof.sha256)
            for name, proof in manifest.files.items()
        ],
        "metrics": dict(manifest.metrics),
        "primary": manifest.primary,
        "direction": manifest.direction,
        "parent": manifest.parent,
    }
