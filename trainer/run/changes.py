"""`changes.json`: what a resume changed of a run's configuration. The spec itself is never written again."""

import copy
import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from trainer.run.disk.atomic import read_json, write_json
from trainer.run.layout import RunDir
from trainer.run.run_errors import SpecError
from trainer.run.spec import RunSpec

KEY = re.compile(r"[a-z][a-z0-9_]{0,40}(\.[a-z][a-z0-9_]{0,40}){0,4}")
KEYS_MAX = 100
TEXT_MAX = 4096
ORIGIN = "resume --set"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Dotted keys and their new values, from `attempt` on."""

    attempt: int
    values: Mapping[str, Any]
    by: str = ""
    at: float = field(default_factory=time.time)


def checked_values(raw: object) -> dict[str, Any]:
    """Dotted keys with plain values, as they may come from anywhere.

    Raises:
        SpecError: naming what is none.
    """
    if not isinstance(raw, dict) or len(raw) > KEYS_MAX:
        raise SpecError(f"changes must be an object of at most {KEYS_MAX} keys")
    for key, value in raw.items():
        if not isinstance(key, str) or not KEY.fullmatch(key):
            raise SpecError(f"not a configuration key: {str(key)[:60]!r}")
        if not isinstance(value, str | int | float | bool) or (
            isinstance(value, str) and len(value) > TEXT_MAX
        ):
            raise SpecError(f"the value of {key} must be a text, a number or true or false")
    return dict(raw)


def read_changes(run: RunDir) -> list[Change]:
    """What was changed, in order; none before the first.

    Raises:
        SpecError: the file is malformed.
    """
    raw = read_json(run.changes)
    if raw is None:
        return []
    try:
        if not isinstance(raw, dict):
            raise TypeError("not an object")
        return [
            Change(
                attempt=int(one["attempt"]),
                values=checked_values(one["values"]),
                by=str(one.get("by", "")),
                at=float(one.get("at", 0.0)),
            )
            for one in raw["changes"]
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SpecError(f"{run.changes} is malformed: {error!r}") from error


def add_change(run: RunDir, change: Change) -> None:
    """Append one. The caller holds the run's lock, or agent.lock for one that waits in line."""
    write_json(run.changes, {"changes": [asdict(one) for one in [*read_changes(run), change]]})


def changed(spec: RunSpec, values: Mapping[str, Any]) -> RunSpec:
    """The spec with these values in its configuration; a command has none."""
    if not values or spec.kind != "trainer":
        return spec
    config: dict[str, Any] = copy.deepcopy(dict(spec.config))
    for key, value in values.items():
        *sections, name = key.split(".")
        place = config
        for section in sections:
            below = place.setdefault(section, {})
            if not isinstance(below, dict):
                raise SpecError(f"{key} is no key of this run's configuration")
            place = below
        place[name] = value
    return replace(spec, config=config, origins={**spec.origins, **dict.fromkeys(values, ORIGIN)})
