"""`photinus-train export`: a trained model as a folder that loads without Photinus."""

import argparse
import json
from pathlib import Path
from typing import Any

from trainer.config.config_error import ConfigError
from trainer.job.outcome import ExitCode, RefusedError
from trainer.run.run_errors import CheckpointError

EVALUATION_MAX = 16 << 20
Commands = argparse._SubParsersAction


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "export", help="weights, configuration, tokenizer, one modeling.py and a card, in one folder"
    )
    parser.set_defaults(command=run)
    parser.add_argument(
        "subject",
        metavar="RUN|CHECKPOINT",
        help="a run's id or folder (its newest checkpoint), or one of them",
    )
    parser.add_argument(
        "--to", type=Path, required=True, metavar="DIR", help="a folder that is not there yet"
    )
    parser.add_argument(
        "--averaged",
        action="store_true",
        help="the averaged weights of optim.ema, not those of the last step",
    )
    parser.add_argument(
        "--evaluation", type=Path, metavar="FILE", help="what `evaluate --json` said of it, for the card"
    )
    parser.add_argument(
        "--control", type=Path, action="append", default=[], metavar="FILE", help="likewise of a control"
    )


def run(arguments: argparse.Namespace) -> ExitCode:
    """Export, and name the files."""
    evaluation = _report(arguments.evaluation, "--evaluation") if arguments.evaluation else None
    controls = [_report(path, "--control") for path in arguments.control]
    from trainer.export.folder import export

    try:
        files = export(arguments.subject, arguments.to.absolute(), evaluation, controls, arguments.averaged)
    except CheckpointError as error:
        raise RefusedError(str(error)) from error
    for path in files:
        print(f"{path.stat().st_size:>12,}  {path}")
    return ExitCode.OK


def _report(path: Path, flag: str) -> dict[str, Any]:
    """Read what `evaluate --json` has printed.

    Raises:
        ConfigError: it is something else.
    """
    remedy = "give the line that `photinus-train evaluate RUN --json` printed, in a file"
    try:
        with path.open("rb") as file:
            raw = json.loads(file.read(EVALUATION_MAX))
        scores = raw["scores"]
        for one in (scores["ce"], scores["bits_per_byte"], *(floor["ce"] for floor in scores["floors"])):
            [float(one[key]) for key in ("value", "low", "high", "n")]
        [str(raw[key]) for key in ("kind", "name")], int(raw["step"])
        [float(floor["below"]["value"]) for floor in scores["floors"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ConfigError(
            f"{flag} {path}: no evaluation ({type(error).__name__}: {error}); {remedy}"
        ) from error
    checked: dict[str, Any] = raw
    return checked
