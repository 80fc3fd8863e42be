"""`photinus-train checkpoints`: what a run keeps, without loading a tensor, and what may go."""

import argparse
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from trainer.checkpoints.retain import plan_of
from trainer.commands.kept.run_folder import run_folder
from trainer.config.config_error import ConfigError
from trainer.config.resolve import from_values
from trainer.config.schema import CheckpointConfig
from trainer.job.assignment import CONFIG_FILE
from trainer.job.outcome import ExitCode, RefusedError
from trainer.run.checkpoints.lineage import lineage, manifest_differences
from trainer.run.checkpoints.manifest import (
    CheckpointInfo,
    Manifest,
    checkpoint_name,
    list_checkpoints,
    parse_manifest,
    ranked,
    read_manifest,
    verify,
)
from trainer.run.checkpoints.pins import checkpoints_locked, pin, read_pins, unpin
from trainer.run.checkpoints.trash import TRASH_DAYS, bring_back, trash_checkpoints, trashed_checkpoints
from trainer.run.disk.atomic import read_json
from trainer.run.layout import RunDir
from trainer.run.run_errors import CheckpointError, LockHeldError, RecordError

Commands = argparse._SubParsersAction


@dataclass(frozen=True, slots=True)
class CheckpointVerb:
    """A verb of the command: what it does, in the help and in fact."""

    help: str
    act: Callable[[argparse.Namespace, RunDir], ExitCode]


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("checkpoints", help="list, compare, prove, pin and let go what a run keeps")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for name, verb in VERBS.items():
        one = verbs.add_parser(name, help=verb.help)
        one.set_defaults(command=run, act=verb.act)
        one.add_argument("run", metavar="RUN", help="a run's id or folder")
        one.add_argument("--json", action="store_true", help="one object")
        if name in ("show", "pin", "unpin"):
            one.add_argument("name", metavar="CKPT", help="step-NNNNNNNN, its step, latest or best")
        if name == "diff":
            one.add_argument("name", metavar="A")
            one.add_argument("other", metavar="B")
        if name in ("verify", "restore"):
            one.add_argument(
                "names", metavar="CKPT", nargs="*", help="default: all (restore: the last removal)"
            )
        if name == "retain":
            one.add_argument("--plan", action="store_true", help="only say what would be kept, and why")
            for key in ("keep-last", "keep-best", "keep-every"):
                one.add_argument(f"--{key}", type=int, metavar="N", help="in place of the run's own")
            one.add_argument("--max-gb", type=float, metavar="GB", help="in place of the run's own")
            one.add_argument(
                "--as-planned", default="", metavar="ID", help="only if it is still what that --plan said"
            )


def run(arguments: argparse.Namespace) -> ExitCode:
    """Carry out a verb on the run that is named."""
    folder = run_folder(arguments.run)
    try:
        code: ExitCode = arguments.act(arguments, folder)
    except (CheckpointError, LockHeldError) as error:
        raise RefusedError(str(error)) from error
    return code


def _list(arguments: argparse.Namespace, run: RunDir) -> ExitCode:
    found = list_checkpoints(run.checkpoints)
    order = ranked((info.name, info.step, info.manifest) for info in found)
    pins = read_pins(run)
    rows = [_facts(info, found, order, pins) for info in found]
    if arguments.json:
        print(json.dumps({"checkpoints": rows, "trash": [one.name for one in trashed_checkpoints(run)]}))
        return ExitCode.OK
    print(f"{'checkpoint':16} {'kind':9} {'bytes':>14} {'metric':>24} {'rank':>4}  {'parent':16} marks")
    for row in rows:
        metric = "-" if row["score"] is None else f"{row['primary']} {row['score']:.6g}"
        marks = " ".join(row["marks"])
        print(
            f"{row['name']:16} {row['kind']:9} {row['bytes']:>14,} {metric:>24} {row['rank'] or '-':>4}  "
            f"{row['parent'] or '-':16} {marks}"
        )
    if gone := trashed_checkpoints(run):
        print(f"{len(gone)} in the trash; `photinus-train checkpoints restore` brings back the last removal")
    return ExitCode.OK


def _facts(
    info: CheckpointInfo, found: list[CheckpointInfo], order: list[str], pins: dict[str, str]
) -> dict[str, Any]:
    manifest = info.manifest
    marks = [word for word, holds in (
        ("latest", info is found[-1]), ("best", order[:1] == [info.name]), ("unreadable", manifest is None),
    ) if holds]  # fmt: skip
    return {
        "name": info.name,
        "step": info.step,
        "kind": _plain(manifest.kind)[:9] if manifest else "?",
        "bytes": manifest.bytes if manifest else 0,
        "primary": _plain(manifest.primary) if manifest else "",
        "direction": manifest.direction if manifest else "",
        "score": manifest.metrics.get(manifest.primary) if manifest else None,
        "rank": order.index(info.name) + 1 if info.name in order else None,
        "parent": _plain(manifest.parent) if manifest else "",
        "marks": [*marks, *([_plain(pins[info.name])] if info.name in pins else [])],
    }


def _show(arguments: argparse.Namespace, run: RunDir) -> ExitCode:
    manifest = _manifest(run, _chosen(run, arguments.name))
    raw = {key: value for key, value in manifest.raw.items() if key not in ("generators", "others")}
    print(json.dumps(raw) if arguments.json else json.dumps(raw, indent=2))
    return ExitCode.OK


def _diff(arguments: argparse.Namespace, run: RunDir) -> ExitCode:
    names = [_chosen(run, arguments.name), _chosen(run, arguments.other)]
    rows = manifest_differences(*(_manifest(run, name) for name in names))
    if arguments.json:
        print(json.dumps({"a": names[0], "b": names[1], "differences": rows}))
        return ExitCode.OK
    for key, left, right in rows:
        print(f"{_plain(key):32} {_plain(json.dumps(left))[:60]:>24} -> {_plain(json.dumps(right))[:60]}")
    return ExitCode.OK


def _verify(arguments: argparse.Namespace, run: RunDir) -> ExitCode:
    names = [_chosen(run, name) for name in arguments.names]
    told: dict[str, str] = {}
    for name in names or [info.name for info in list_checkpoints(run.checkpoints)]:
        try:
            verify(run.checkpoints / name)
            told[name] = "ok"
        except CheckpointError as error:
            told[name] = str(error)
    if arguments.json:
        print(json.dumps(told))
    else:
        for name, word in told.items():
            print(f"{name} {_plain(word)}")
    return ExitCode.OK if set(told.values()) <= {"ok"} else ExitCode.FAILURE


def _pin(arguments: argparse.Namespace, run: RunDir) -> ExitCode:
    name = _chosen(run, arguments.name)
    _say(
        arguments, {"name": name, "pinned": True}, f"{name} " + ("pinned" if pin(run, name) else "was pinned")
    )
    return ExitCode.OK


def _unpin(arguments: argparse.Namespace, run: RunDir) -> ExitCode:
    name = _chosen(run, arguments.name)
    _say(
        arguments, {"name": name, "pinned": False},
        f"{name} " + ("is pinned no more" if unpin(run, name) else "was not pinned"),
    )  # fmt: skip
    return ExitCode.OK


def _retain(arguments: argparse.Namespace, run: RunDir) -> ExitCode:
    config = _policy(arguments, run)
    with checkpoints_locked(run):
        plan = plan_of(run, config, _in_use(run))
        planned = _plan_id(plan.remove)
        if arguments.as_planned not in ("", planned):
            raise CheckpointError("what would go is not what was planned; look at `retain --plan` again")
        if not arguments.plan:
            trash_checkpoints(run, plan.remove)
    if arguments.json:
        facts = {"keep": plan.why, "remove": plan.remove, "done": not arguments.plan, "plan": planned}
        print(json.dumps(facts))
        return ExitCode.OK
    for name in sorted((*plan.keep, *plan.remove), key=lambda name: (len(name), name)):
        print(f"{name}  {'keep    ' + plan.why[name] if name in plan.why else 'remove'}")
    done = "would go" if arguments.plan else f"moved to the trash for {TRASH_DAYS} days"
    print(f"{len(plan.remove)} of {len(plan.keep) + len(plan.remove)} {done}")
    if arguments.plan and plan.remove:
        print(f"exactly these: --as-planned {planned}")
    return ExitCode.OK


def _plan_id(remove: Sequence[str]) -> str:
    """Which plan it is: the same names go, or it is another one."""
    return hashlib.sha256("\n".join(remove).encode()).hexdigest()[:16]


def _restore(arguments: argparse.Namespace, run: RunDir) -> ExitCode:
    with checkpoints_locked(run):
        names = bring_back(run, [_named(name) for name in arguments.names])
    _say(
        arguments,
        {"restored": names},
        f"{len(names)} brought back: {', '.join(names) or 'the trash is empty'}",
    )
    return ExitCode.OK


def _lineage(arguments: argparse.Namespace, run: RunDir) -> ExitCode:
    rows = lineage(list_checkpoints(run.checkpoints))
    if arguments.json:
        print(json.dumps([{"depth": row.depth, "name": row.name, "here": row.here} for row in rows]))
        return ExitCode.OK
    for row in rows:
        print(f"{'  ' * row.depth}{_plain(row.name)}{'' if row.here else '  (not here)'}")
    return ExitCode.OK


VERBS = {
    "list": CheckpointVerb("every checkpoint: kind, size, metric, rank, parent, marks", _list),
    "show": CheckpointVerb("what one says of itself", _show),
    "diff": CheckpointVerb("in what two differ: configuration, metrics, versions", _diff),
    "verify": CheckpointVerb("prove every byte; exit code 1 where one does not hold", _verify),
    "pin": CheckpointVerb("keep one, whatever the policy says", _pin),
    "unpin": CheckpointVerb("leave one to the policy again", _unpin),
    "retain": CheckpointVerb("let go what the policy does not keep; --plan only says so", _retain),
    "restore": CheckpointVerb("bring back from the trash", _restore),
    "lineage": CheckpointVerb("which came of which, as a tree", _lineage),
}


def _policy(arguments: argparse.Namespace, run: RunDir) -> CheckpointConfig:
    """Return the policy of the run, with what was said on the command line in place of it."""
    try:
        raw = read_json(run.path / CONFIG_FILE)
        own = from_values(raw["values"]).checkpoint if isinstance(raw, dict) else CheckpointConfig()
    except (RecordError, KeyError) as error:
        raise ConfigError(f"{CONFIG_FILE} of {run.run_id} cannot be read: {error}") from error
    said = {key: getattr(arguments, key) for key in ("keep_last", "keep_best", "keep_every", "max_gb")}
    values = {key: value for key, value in said.items() if value is not None}
    if any(value < (1 if key == "keep_last" else 0) for key, value in values.items()):
        raise ConfigError("--keep-last is 1 or more, the others are 0 or more")
    return CheckpointConfig(**{**{key: getattr(own, key) for key in (*said, "pins")}, **values})


def _in_use(run: RunDir) -> tuple[str, ...]:
    """Return the checkpoint to which a run in trouble would step back: its newest one names it."""
    found = list_checkpoints(run.checkpoints)
    defence = found[-1].manifest.raw.get("defence") if found and found[-1].manifest else None
    anchor = defence.get("anchor") if isinstance(defence, dict) else None
    return (anchor,) if isinstance(anchor, str) and anchor else ()


def _named(text: str) -> str:
    return checkpoint_name(int(text)) if text.isdigit() and len(text) < 16 else text


def _chosen(run: RunDir, text: str) -> str:
    """Return the checkpoint that `text` names.

    Raises:
        ConfigError: there is no such one.
    """
    found = list_checkpoints(run.checkpoints)
    names = [info.name for info in found]
    best = ranked((info.name, info.step, info.manifest) for info in found)
    special = {"latest": names[-1:], "best": best[:1]}
    name = next(iter(special[text]), "") if text in special else _named(text)
    if name not in names:
        there = f"there are {names[0]} to {names[-1]}" if names else "there is none"
        raise ConfigError(f"{run.run_id} has no checkpoint {text[:40]!r}; {there}")
    return name


def _manifest(run: RunDir, name: str) -> Manifest:
    return parse_manifest(read_manifest(run.checkpoints / name), name)


def _say(arguments: argparse.Namespace, facts: dict[str, Any], text: str) -> None:
    print(json.dumps(facts) if arguments.json else text)


def _plain(text: str) -> str:
    """A manifest's words come from outside: nothing of them may reach a terminal as more than text."""
    return "".join(one if one.isprintable() else "?" for one in text)[:200]
