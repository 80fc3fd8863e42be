"""`photinus hosts ...`: the machines that can be reached."""

import argparse
from collections.abc import Callable

from tui.commands.parser import Commands

COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {}


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add these commands to the command line."""
