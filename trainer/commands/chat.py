"""`photinus-train chat`: a conversation with a trained model, line by line; it remembers what was said."""

import argparse
import math
import sys
from typing import TYPE_CHECKING

from trainer.commands.subject_arguments import add_subject, demand, speaker_of
from trainer.job.outcome import ExitCode, RefusedError

if TYPE_CHECKING:
    from trainer.evals.generate import Conversation
    from trainer.evals.subject import Speaker

Commands = argparse._SubParsersAction


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("chat", help="type a line, and the model continues it; it remembers")
    parser.set_defaults(command=run)
    add_subject(parser, json=False)
    parser.add_argument(
        "--tokens", type=int, default=200, metavar="N", help="at most, an answer (default: 200)"
    )
    parser.add_argument("--temperature", type=float, default=0.8, help="0 takes the likeliest (default: 0.8)")
    parser.add_argument("--seed", type=int, default=0, help="of the draws")


def run(arguments: argparse.Namespace) -> ExitCode:
    """Answer every line of standard input, up to its end; an answer ends with a line's end of its own."""
    from trainer.evals.drawing import Sampling
    from trainer.evals.generate import Conversation

    demand(
        ("--tokens", arguments.tokens >= 1, "at least 1"),
        ("--temperature", 0 <= arguments.temperature < math.inf, "0 or more"),
    )
    subject = speaker_of(arguments)
    how = Sampling(arguments.temperature, seed=arguments.seed)
    talk = Conversation(subject.model, subject.device, how)
    out, is_person = sys.stdout.buffer, sys.stdin.isatty()
    while True:
        if is_person:
            out.write(b"> ")
            out.flush()
        line = sys.stdin.readline()
        if not line:
            return ExitCode.OK
        try:
            answer(talk, line, subject, arguments.tokens)
        except ValueError as error:  # a model of so many positions has no more
            out.flush()
            raise RefusedError(f"{error}; begin the conversation again") from error


def answer(talk: "Conversation", line: str, subject: "Speaker", most: int) -> None:
    """Take a line, and say what follows it.

    Raises:
        ValueError: the model has no position left.
    """
    out = sys.stdout.buffer
    talk.hear(subject.tokenizer.encode(line))
    for token in talk.answer(most):
        piece = subject.tokenizer.decode([token])
        out.write(piece)
        out.flush()
        if piece.endswith(b"\n"):
            break
    else:
        out.write(b"\n")
    out.flush()
