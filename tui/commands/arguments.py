"""What every command of `photinus` is made of: host, --json, exit codes."""

import argparse

EXIT_CODES = """exit codes:
  0 ok   1 failure   2 usage or configuration   3 refused or incompatible
  4 busy   5 unreachable   6 not found   7 time-out"""


RUN_HELP = "run id, name, or the beginning of either; HOST:RUN names its host too"


EPILOG = f"""Without a command, the cockpit opens. Runs go on when it is closed.

{EXIT_CODES}

Everything lives in ~/.photinus, or in $PHOTINUS_HOME where that is set."""


Commands = argparse._SubParsersAction  # the type that add_subparsers returns has no public name


def add_command(
    commands: "Commands[argparse.ArgumentParser]", name: str, text: str
) -> argparse.ArgumentParser:
    """A command of one host, with `--json` and `--host`."""
    parser = add_bare_command(commands, name, text)
    parser.add_argument("--host", default="local", help="the host (default: local, this machine)")
    return parser


def add_bare_command(
    commands: "Commands[argparse.ArgumentParser]", name: str, text: str
) -> argparse.ArgumentParser:
    """A command with `--json`, its description and exit codes; for what names its host in another way."""
    parser = commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON on stdout; talk goes to stderr")
    return parser
