"""The arguments by which a command names a trained model, and what they come to."""

import argparse
import sys
from typing import TYPE_CHECKING

from trainer.commands.bars import Bars
from trainer.config.config_error import ConfigError
from trainer.job.outcome import RefusedError
from trainer.run.run_errors import CheckpointError

if TYPE_CHECKING:
    from trainer.evals.subject import Speaker, Subject


def add_subject(parser: argparse.ArgumentParser, *, json: bool = True) -> None:
    """Add RUN|CHECKPOINT, --data, --device and, where there is a report, --json."""
    parser.add_argument(
        "subject",
        metavar="RUN|CHECKPOINT",
        help="a run's id or folder (its newest checkpoint), or one of them",
    )
    parser.add_argument(
        "--data", "--text", metavar="PATH", help="other text than the run's own, cut by the model's tokenizer"
    )
    parser.add_argument("--device", default="", help="cpu, mps, cuda ... (default: what there is)")
    parser.add_argument(
        "--averaged",
        action="store_true",
        help="the averaged weights of optim.ema, not those of the last step",
    )
    if json:
        parser.add_argument("--json", action="store_true", help="one line of JSON on stdout")


def demand(*flags: tuple[str, bool, str]) -> None:
    """Refuse values out of range, each given as its flag, whether it fits, and the range in words.

    Raises:
        ConfigError: naming the first that does not fit. Exit code 2.
    """
    for flag, fits, allowed in flags:
        if not fits:
            raise ConfigError(f"{flag} is out of range: it must be {allowed}")


def speaker_of(arguments: argparse.Namespace) -> "Speaker":
    """Load what sampling needs: no text, but of a checkpoint that is older than the tokenizer in it.

    Raises:
        RefusedError: as in `subject_of`.
    """
    from trainer.evals.subject import Speaker, load_speaker

    try:
        how = {"device": arguments.device, "averaged": arguments.averaged, "say": _say}
        found = None if arguments.data else load_speaker(arguments.subject, **how)
    except CheckpointError as error:
        raise RefusedError(str(error)) from error
    if found is None:
        subject = subject_of(arguments)
        found = Speaker(subject.name, subject.model, subject.corpus.tokenizer, subject.device)
        subject.corpus.close()
    return found


def subject_of(arguments: argparse.Namespace) -> "Subject":
    """Load it, saying on stderr what it is.

    Raises:
        RefusedError: there is no such thing, or it is damaged, or its text cannot be had.
    """
    from trainer.data import DataError
    from trainer.evals.subject import load_subject

    bars = Bars()
    try:
        return load_subject(
            arguments.subject, data=arguments.data, device=arguments.device,
            averaged=arguments.averaged, say=_say, progress=bars,
        )  # fmt: skip
    except (CheckpointError, DataError) as error:
        raise RefusedError(str(error)) from error
    finally:
        bars.clear()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
