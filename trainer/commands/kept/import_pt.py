"""`photinus-train import`: the weights that another program saved, as a checkpoint of ours."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from trainer.config.config_error import ConfigError
from trainer.job.outcome import ExitCode

EXTRA_MAX = 1_000_000
Commands = argparse._SubParsersAction


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "import", help="weights of K-SSM v1, v2, v3, nanoGPT or GPT-2 as a checkpoint; nothing in them is run"
    )
    parser.set_defaults(command=run)
    parser.add_argument("file", type=Path, metavar="FILE", help="what torch.save or safetensors wrote")
    parser.add_argument(
        "--to", type=Path, required=True, metavar="DIR", help="the folder of a run, new or not"
    )
    parser.add_argument(
        "--tokenizer",
        default="",
        metavar="byte|FILE|none",
        help="what the tokens mean; FILE: a tokenizer.json of a checkpoint here, nanoGPT's meta.pkl, a file "
        "of tiktoken, or GPT-2's vocab.bpe or merges.txt",
    )
    parser.add_argument(
        "--split", choices=("gpt2", "cl100k"), default="",
        help="how text was cut before a file of tiktoken or of merges was applied",
    )  # fmt: skip
    parser.add_argument(
        "--extra-tokens", dest="extra", type=int, default=0, metavar="N",
        help="tokens of the weights behind those of FILE, which mean nothing",
    )  # fmt: skip
    parser.add_argument(
        "--heads", type=int, default=0, metavar="N", help="attention heads, where the file tells none"
    )
    parser.add_argument(
        "--as", dest="kind", default="", metavar="KIND",
        help="kssm-v3-original (u was clamped) or kssm-v3-monostable, for weights of K-SSM v3",
    )  # fmt: skip
    parser.add_argument(
        "--gelu", choices=("exact", "tanh"), default="", help="of nanoGPT (before June 2023 tanh) and GPT-2"
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON on stdout")


def run(arguments: argparse.Namespace) -> ExitCode:
    """Take it over, and say what it is."""
    if not arguments.file.is_file():
        raise ConfigError(f"{arguments.file}: there is no such file")
    from trainer.foreign.take_over import TokenizerTold, take_over
    from trainer.foreign.weight_names import Told

    told = Told(heads=arguments.heads, kind=arguments.kind, gelu=arguments.gelu)
    if not 0 <= arguments.extra <= EXTRA_MAX:
        raise ConfigError(f"--extra-tokens is 0 to {EXTRA_MAX:,}, not {arguments.extra}")
    tokens = TokenizerTold(arguments.tokenizer, arguments.split, arguments.extra)
    taken = take_over(arguments.file, arguments.to.absolute(), tokens, told)
    if arguments.json:
        print(json.dumps({**asdict(taken), "path": str(taken.path)}))
        return ExitCode.OK
    notes = "".join(f"; {note}" for note in taken.notes)
    print(
        f"{taken.path}: {taken.program}, {taken.parameters:,} parameters, {taken.vocab_size:,} tokens{notes}"
    )
    return ExitCode.OK
