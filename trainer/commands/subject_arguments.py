"""The arguments by which a command names a trained model, and what they come to."""

import argparse
import sys
from typing import TYPE_CHECKING

from trainer.commands.bars import Bars
from trainer.job.outcome import RefusedError
from trainer.run.run_errors import CheckpointError

if TYPE_CHECKING:
    from trainer.evals.subject import Subject


def add_subject(parser: argparse.ArgumentParser) -> None:
    """Add RUN|CHECKPOINT, --data, --device and --json."""
    parser.add_argument(
        "subject",
        metavar="RUN|CHECKPOINT",
        help="a run's id or folder (its newest checkpoint), or one of them",
    )
    parser.add_argument("--data", metavar="PATH", help="other text than the run's own")
    parser.add_argument("--device", default="", help="cpu, mps, cuda ... (default: what there is)")
    parser.add_argument("--json", action="store_true", help="one line of JSON on stdout")


def subject_of(arguments: argparse.Namespace) -> "Subject":
    """Load it, saying on stderr what it is.

    Raises:
        RefusedError: there is no such thing, or it is damaged, or its text cannot be had.
    """
    from trainer.data import DataError
    from trainer.evals.subject import load_subject

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    bars = Bars()
    try:
        return load_subject(
            arguments.subject, data=arguments.data, device=arguments.device, say=say, progress=bars
        )
    except (CheckpointError, DataError) as error:
        raise RefusedError(str(error)) from error
    finally:
        bars.clear()
