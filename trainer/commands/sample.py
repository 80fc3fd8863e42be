"""`photinus-train sample`: text from a trained model, at the same cost for every token."""

import argparse
import json
import math
import sys

from trainer.commands.subject_arguments import add_subject, demand, speaker_of
from trainer.job.outcome import ExitCode

Commands = argparse._SubParsersAction


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "sample", help="generate text; R, coherence and u of every token with --json"
    )
    parser.set_defaults(command=run)
    add_subject(parser)
    parser.add_argument("--prompt", default="The ", help="what the text continues (default: 'The ')")
    parser.add_argument("--tokens", type=int, default=200, metavar="N", help="how many (default: 200)")
    parser.add_argument("--temperature", type=float, default=0.8, help="0 takes the likeliest (default: 0.8)")
    parser.add_argument("--top-k", type=int, default=0, metavar="K", help="draw from the K likeliest; 0: all")
    parser.add_argument(
        "--top-p", type=float, default=1.0, metavar="P", help="draw from the fewest that hold P (default: 1)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the draws")


def run(arguments: argparse.Namespace) -> ExitCode:
    """Generate, printing as it comes."""
    from trainer.evals.drawing import Sampling
    from trainer.evals.generate import sample

    demand(
        ("--tokens", arguments.tokens >= 1, "at least 1"),
        ("--temperature", 0 <= arguments.temperature < math.inf, "0 or more"),
        ("--top-k", arguments.top_k >= 0, "0 or more"),
        ("--top-p", 0 < arguments.top_p <= 1, "above 0, at most 1"),
        ("--prompt", bool(arguments.prompt), "not empty"),
    )
    subject = speaker_of(arguments)
    tokenizer = subject.tokenizer
    prompt = tokenizer.encode(arguments.prompt)
    out = sys.stdout.buffer
    if not arguments.json:
        out.write(arguments.prompt.encode())

    def show(token: int) -> None:
        if not arguments.json:
            out.write(tokenizer.decode([token]))
            out.flush()

    how = Sampling(arguments.temperature, arguments.top_k, arguments.top_p, arguments.seed)
    found = sample(subject.model, subject.device, prompt, arguments.tokens, how, on_token=show)
    if arguments.json:
        text = tokenizer.decode(found.ids).decode("utf-8", "replace")
        row = {"subject": subject.name, "prompt": arguments.prompt, "text": text, "tokens": len(found.ids)}
        row |= {"R": found.R, "coherence": found.coherence, "u": found.u}
        out.write(json.dumps(row).encode())
    out.write(b"\n")
    out.flush()
    return ExitCode.OK
