"""Which checkpoint came of which: the parents that manifests name, and where two checkpoints differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer.run.checkpoints.manifest import CheckpointInfo, Manifest

DIFF_MAX = 500
LEFT_OUT = frozenset({"files", "seal", "generators", "others", "defence", "loss_scale", "at"})
"""Keys that differ between any two checkpoints, or are of no use to a reader."""


@dataclass(frozen=True, slots=True)
class LineageRow:
    """A line of the tree: how deep it stands, what it names, and whether that is here."""

    depth: int
    name: str
    here: bool


def lineage(found: Sequence[CheckpointInfo]) -> list[LineageRow]:
    """Return the tree of these checkpoints, roots first; a parent that is not among them is named, too.

    A chain of single children stays at one depth: only a branch goes deeper.
    """
    parents = {info.name: info.manifest.parent for info in found if info.manifest is not None}
    children: dict[str, list[str]] = {}
    for info in found:
        children.setdefault(parents.get(info.name, ""), []).append(info.name)
    roots = [parent for parent in children if parent not in parents]
    rows: list[LineageRow] = []
    seen: set[str] = set()
    for root in roots:
        todo = [(0, root)] if root else [(0, name) for name in reversed(children[root])]
        while todo:
            depth, name = todo.pop()
            if name in seen:
                continue
            seen.add(name)
            rows.append(LineageRow(depth, name, name in parents))
            below = [one for one in children.get(name, []) if one not in seen]
            deeper = depth + (1 if len(below) > 1 or name not in parents else 0)
            todo += [(deeper, one) for one in reversed(below)]
    return rows


def manifest_differences(one: Manifest, other: Manifest) -> list[tuple[str, Any, Any]]:
    """Return key, value here and value there of all in which two manifests differ, in order of the keys."""
    left, right = _flat(one.raw), _flat(other.raw)
    keys = sorted({*left, *right})
    rows = [(key, left.get(key), right.get(key)) for key in keys if left.get(key) != right.get(key)]
    return rows[:DIFF_MAX]


def _flat(raw: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in raw.items():
        if not prefix and key in LEFT_OUT:
            continue
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
