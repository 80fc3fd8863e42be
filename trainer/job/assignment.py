"""From a run's folder, or from the words of a command line, to an assignment. No torch here."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from trainer.config.config_error import ConfigError
from trainer.config.data_source import DATA_KEY, demand_source
from trainer.config.keys import keys
from trainer.config.resolve import Resolved, from_values, override, resolve
from trainer.job.job import Assignment
from trainer.job.outcome import RefusedError
from trainer.job.rank import Rank
from trainer.run.checkpoints.imported import locate_parent
from trainer.run.checkpoints.manifest import MANIFEST, list_checkpoints, parse_manifest, read_manifest
from trainer.run.disk.atomic import read_json, write_json
from trainer.run.layout import RunDir
from trainer.run.records import read_changed_spec
from trainer.telemetry.write import position

CONFIG_FILE = "config.json"
CACHE = Path("cache", "tokens")


def supervised(run_dir: Path, source: str, overrides: Sequence[str]) -> Assignment:
    """Return what the spec in `run_dir` and the supervisor's environment ask for.

    Raises:
        ConfigError, SpecError: the stored configuration or spec is not of this version, or its text is gone.
    """
    run = RunDir(run_dir.absolute())
    spec = read_changed_spec(run)
    stored = Resolved(from_values(spec.config), dict(spec.origins), spec.preset)
    resolved = override(stored, overrides) if overrides else stored
    _demand_text(resolved, run, source)
    attempt = int(os.environ.get("PHOTINUS_ATTEMPT", "0")) or position(run.events).attempt + 1
    wish = resolved.config.device
    return Assignment(
        run=run,
        attempt=attempt,
        token=os.environ.get("PHOTINUS_RUN_TOKEN", ""),
        name=spec.name,
        resolved=resolved,
        source=source,
        device=wish if wish != "auto" else spec.device.replace("-", ":"),
        cache=run.path.parents[1] / CACHE,
        parent=locate_parent(run.path.parents[1], spec.parent) if spec.parent else None,
    )


def standalone(
    out: Path,
    *,
    preset: str | None,
    data: str | None,
    files: Sequence[Path],
    overrides: Sequence[str],
    source: str,
) -> Assignment:
    """Return what a command line asks for. A resume may leave preset and files to what is stored.

    Raises:
        ConfigError: naming the key and the remedy.
    """
    run = RunDir(out.absolute())
    moved = [f"{DATA_KEY}={data}"] if data else []
    resolved = None
    if source and not (preset or files):
        resolved = _stored(run, [*moved, *overrides]) or _of_checkpoint(source, [*moved, *overrides])
    if resolved is None:
        if not (preset or files):
            raise ConfigError(
                "nothing says what to train; give --preset NAME (`photinus-train presets`) or --config FILE"
            )
        resolved = resolve(preset, files=files, overrides=overrides, data=data)
    _demand_text(resolved, run, source)
    return Assignment(
        run=run,
        attempt=position(run.events).attempt + 1,
        token="",
        name=out.absolute().name,
        resolved=resolved,
        source=source,
        device=resolved.config.device,
        cache=None,
    )


def of_rank(assignment: Assignment, rank: Rank) -> Assignment:
    """Return the same assignment as one of several processes has it; the launcher counted the attempt."""
    attempt = int(os.environ.get("PHOTINUS_ATTEMPT", "0")) or assignment.attempt
    return replace(assignment, rank=rank, attempt=attempt)


def refuse_to_overwrite(run: RunDir) -> None:
    """Refuse a fresh start where checkpoints lie.

    Raises:
        RefusedError: naming the newest and both remedies.
    """
    if found := list_checkpoints(run.checkpoints):
        raise RefusedError(
            f"{run.path} holds {len(found)} checkpoints, the newest {found[-1].name}; "
            "continue with --resume, or say --fresh to begin anew (they are moved to its trash)"
        )


def store_config(assignment: Assignment) -> None:
    """Leave the configuration for the next resume; only once nothing about this attempt can be refused."""
    write_json(assignment.run.path / CONFIG_FILE, assignment.resolved.to_json())


def _demand_text(resolved: Resolved, run: RunDir, source: str) -> None:
    """Whoever resumes may do without the text: its tokens may be in the cache still."""
    if source and list_checkpoints(run.checkpoints):
        return
    demand_source(resolved.config.data.source, resolved.origins.get(DATA_KEY, "stored"))


def _of_checkpoint(source: str, overrides: Sequence[str]) -> Resolved | None:
    """What a checkpoint by its path says of its own configuration: a copy brings nothing else along."""
    path = Path(source).expanduser().absolute()
    if not (path / MANIFEST).is_file():
        return None
    raw = parse_manifest(read_manifest(path), path.name).raw.get("config")
    if not isinstance(raw, dict):
        return None
    return override(Resolved(from_values(raw), dict.fromkeys(keys(), "checkpoint"), ""), overrides)


def _stored(run: RunDir, overrides: Sequence[str]) -> Resolved | None:
    raw = read_json(run.path / CONFIG_FILE)
    if not isinstance(raw, dict):
        return None
    stored = Resolved(from_values(raw["values"]), dict(raw["origins"]), str(raw["preset"]))
    return override(stored, overrides) if overrides else stored
