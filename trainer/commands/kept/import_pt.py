"""`photinus-train import`: the weights that another program saved, as a checkpoint of ours."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from trainer.config.config_error import ConfigError
from trainer.job.outcome import ExitCode

Commands = argparse._SubParsersAction


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "import", help="a .pt of K-SSM v1, v2, v3 or nanoGPT as a checkpoint; nothing in it is run"
    )
    parser.set_defaults(command=run)
    parser.add_argument("file", type=Path, metavar="FILE.pt", help="what torch.save wrote")
    parser.add_argument(
        "--to", type=Path, required=True, metavar="DIR", help="the folder of a run, new or not"
    )
    parser.add_argument(
        "--tokenizer",
        default="",
        metavar="byte|FILE|none",
        help="what the tokens mean; FILE is a tokenizer.json",
    )
    parser.add_argument(
        "--heads", type=int, default=0, metavar="N", help="attention heads, where the file tells none"
    )
    parser.add_argument(
        "--as", dest="kind", default="", metavar="KIND",
        help="kssm-v3-original (u was clamped) or kssm-v3-monostable, for weights of K-SSM v3",
    )  # fmt: skip
    parser.add_argument(
        "--gelu", choices=("exact", "tanh"), default="exact", help="of nanoGPT; before June 2023 it was tanh"
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON on stdout")


def run(arguments: argparse.Namespace) -> ExitCode:
    """Take it over, and say what it is."""
    if not arguments.file.is_file():
        raise ConfigError(f"{arguments.file}: there is no such file")
    from trainer.foreign.take_over import take_over
    from trainer.foreign.weight_names import Told

    told = Told(heads=arguments.heads, kind=arguments.kind, gelu=arguments.gelu)
    taken = take_over(arguments.file, arguments.to.absolute(), arguments.tokenizer, told)
    if arguments.json:
        print(json.dumps({**asdict(taken), "path": str(taken.path)}))
        return ExitCode.OK
    notes = "".join(f"; {note}" for note in taken.notes)
    print(
        f"{taken.path}: {taken.program}, {taken.parameters:,} parameters, {taken.vocab_size:,} tokens{notes}"
    )
    return ExitCode.OK
