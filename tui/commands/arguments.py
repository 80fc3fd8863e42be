"""What every command of `photinus` is made of: host, --json, exit codes."""

import argparse
from datetime import datetime

EXIT_CODES = """exit codes:
  0 ok   1 failure   2 usage or configuration   3 refused or incompatible
  4 busy   5 unreachable   6 not found   7 time-out"""


RUN_HELP = "run id, name, or the beginning of either; HOST:RUN names its host too"


EPILOG = f"""Without a command, the cockpit opens. Runs go on when it is closed.

{EXIT_CODES}

Everything lives in ~/.photinus, or in $PHOTINUS_HOME where that is set."""


SECONDS_MAX = 10_000_000.0
COUNT_MAX = 1 << 53
PID_MAX = (1 << 31) - 1


def seconds(text: str) -> float:
    """A time that a clock can wait: 0 to 10,000,000 s (115 days)."""
    return _within(text, _number(text), 0.0, SECONDS_MAX, "seconds")


def deadline(text: str) -> float:
    """Seconds within a day, which is all that a host takes."""
    return _within(text, _number(text), 0.0, 86_400.0, "seconds")


UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}


def age(text: str) -> float:
    """A length of time: `90s`, `30m`, `12h`, `7d`, `2w`, or seconds alone; up to 10,000,000,000 s."""
    unit = UNITS.get(text[-1:], 0.0)
    value = _number(text[:-1] if unit else text)
    return _within(text, None if value is None else value * (unit or 1.0), 0.0, 1e10, "a time such as 30m")


def moment(text: str) -> tuple[float, float]:
    """Since when: a length of time (seconds ago, 0), or a date and time of this machine (0, epoch)."""
    if "-" in text[1:]:
        try:
            return 0.0, datetime.fromisoformat(text).timestamp()
        except (ValueError, OverflowError, OSError):
            pass
    return age(text), 0.0


def count(text: str) -> int:
    """A whole number, 0 or more."""
    return int(_within(text, _whole(text), 0, COUNT_MAX, "a whole number"))


def pid(text: str) -> int:
    """What can be the number of a process."""
    return int(_within(text, _whole(text), 2, PID_MAX, "the number of a process"))


def port(text: str) -> int:
    """What can be the number of a port."""
    return int(_within(text, _whole(text), 1, 65_535, "the number of a port"))


def gigabytes(text: str) -> float:
    """A size in GB, up to 1,000,000."""
    return _within(text, _number(text), 0.0, 1e6, "a size in GB")


SIZES = {"": 1, "b": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


def size_in_bytes(text: str) -> int:
    """A size in bytes: `200MB`, `1.5GB`, `64MiB`; at most 10 TB."""
    word = text.strip().lower()
    digits = word.rstrip("bikmgt ")
    unit = word[len(digits) :].strip()
    scale = SIZES.get(unit[:1], 0) if unit[1:] in ("", "b", "ib") else 0
    if unit.endswith("ib"):
        scale = {10**3: 1 << 10, 10**6: 1 << 20, 10**9: 1 << 30, 10**12: 1 << 40}.get(scale, 0)
    value = _number(digits)
    return int(
        _within(text, value * scale if value is not None and scale else None, 0, 1e13, "a size such as 200MB")
    )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _whole(text: str) -> int | None:
    return int(text) if len(text) <= 20 and text.strip().removeprefix("-").isdecimal() else None


def _within(text: str, value: float | None, low: float, high: float, what: str) -> float:
    """The value, or argparse's error, which names the option; NaN lies nowhere."""
    if value is None or not low <= value <= high:
        raise argparse.ArgumentTypeError(f"must be {what} from {low:,.0f} to {high:,.0f}, not {text[:40]!r}")
    return value


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
