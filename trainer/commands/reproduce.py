"""`photinus-train reproduce`: rerun a published K-SSM claim at a small size, and say whether it holds."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.config.data_source import absolute_source, demand_source
from trainer.job.environment import prepare_environment
from trainer.job.outcome import ExitCode, RefusedError, StoppedError
from trainer.job.stop import Stop

if TYPE_CHECKING:
    from trainer.reproduce.claims import ReproductionReport

Commands = argparse._SubParsersAction
NAMES = {
    "kssm-v1": "a bigram model: its loss ends at the bigram entropy of its text",
    "kssm-v2": "forcing R changes nothing, for a LayerNorm follows",
    "kssm-v3": "R climbs because weight decay shrinks omega_0",
    "ablation": "the bistable form won by the constant of a penalty",
}


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "reproduce",
        help="rerun a published K-SSM claim at a small size, and say whether it holds",
        epilog="\n".join(f"{name:9} {what}" for name, what in NAMES.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=run)
    parser.add_argument("name", choices=tuple(NAMES), metavar="CLAIM", help=", ".join(NAMES))
    parser.add_argument("--json", action="store_true", help="one line of JSON on stdout")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="keep what was trained, and go on from there after a stop"
    )
    parser.add_argument(
        "--data", metavar="PATH", default="python-docs", help="a text file or folder (default: python-docs)"
    )
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="CPU threads (default: 1)")
    parser.add_argument("--seed", type=int, default=1234, help="of weights and data order (default: 1234)")
    parser.add_argument(
        "--quick", action="store_true", help="a few steps, to see that it works; proves nothing"
    )


def run(arguments: argparse.Namespace) -> ExitCode:
    """Train, and print the report."""
    if arguments.threads < 1:
        raise RefusedError("--threads is out of range; give 1 or more")
    source = absolute_source(arguments.data)
    demand_source(source, "--data")
    stop = Stop()
    stop.install("photinus-train: stopping after this step\n")
    print(f"photinus-train: reproduce {arguments.name} on {arguments.data}", file=sys.stderr, flush=True)
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
    prepare_environment()
    from trainer.data import DataError

    try:
        report = _rerun(arguments, source, stop)
    except StoppedError as stopped:
        where = f"; the same command goes on from {arguments.out}" if arguments.out else ""
        print(f"photinus-train: {stopped}, no verdict{where}", file=sys.stderr, flush=True)
        return ExitCode.FAILURE
    except DataError as error:
        raise RefusedError(str(error)) from error
    from trainer.reproduce.claims import lines

    print(json.dumps(report.to_json()) if arguments.json else "\n".join(lines(report)))
    return ExitCode.OK


def _rerun(arguments: argparse.Namespace, source: str, stop: Stop) -> "ReproductionReport":
    from importlib import import_module

    from trainer.device.device import open_device
    from trainer.reproduce.bench import Bench, Ticker
    from trainer.reproduce.claims import without_verdicts

    bench = Bench(
        device=open_device("cpu", arguments.threads),
        source=source,
        stop=stop,
        ticker=Ticker(arguments.name),
        out=arguments.out,
        quick=arguments.quick,
        seed=arguments.seed,
    )
    module = import_module(f"trainer.reproduce.{arguments.name.removeprefix('kssm-')}")
    report: ReproductionReport = module.rerun(bench)
    return without_verdicts(report) if bench.quick else report
