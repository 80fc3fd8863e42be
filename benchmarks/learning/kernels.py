"""Whether the models' inner loops run as compiled code: a matter of cost, not of what is learnt."""

import argparse
import sys

from trainer.models import native
from trainer.step.kernels import default_kernel_cache

CHOICES = ("auto", "native", "torch")


def add_kernels(parser: argparse.ArgumentParser) -> None:
    """The option."""
    parser.add_argument("--kernels", choices=CHOICES, default="auto", help="auto: native where they compile")


def use_kernels(choice: str) -> str:
    """Switch them on as far as `choice` and this host say; return what is in use.

    Raises:
        NativeUnavailableError: `native` was asked for and cannot be had.
    """
    if choice != "torch":
        try:
            native.enable(default_kernel_cache())
        except native.NativeUnavailableError as error:
            if choice == "native":
                raise
            print(f"torch kernels: {error}", file=sys.stderr)
    return kernels_in_use()


def kernels_in_use() -> str:
    """`native` or `torch`."""
    return "native" if native.enabled() else "torch"
