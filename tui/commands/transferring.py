"""`pull` and `push`: checkpoints between a host and this machine."""

import argparse
from collections.abc import Callable

from tui.commands.parser import Commands

COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {}


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add these commands to the command line."""
