"""The options of `start`."""

import argparse

from trainer.run.spec import STOP_SIGNALS
from tui.commands.arguments import Commands, add_command, age, count, seconds, size_in_bytes

NO_LIMITS = (
    "No limit of memory or processes is set: where there is systemd, begin a command with systemd-run, as "
    "docs/runs.md shows."
)


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add `start` to the command line."""
    start = add_command(commands, "start", "start a run: one of our presets, or any command")
    what = start.add_argument_group("what to run")
    what.add_argument("--preset", help="a preset of configs/presets, such as kssm-v3-tiny")
    what.add_argument(
        "--data",
        help="python-docs, recall, corpus:NAME, or a path to text, on the host; local:PATH is brought there",
    )
    what.add_argument(
        "--set",
        dest="overrides",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override a configuration key, such as steps=500 or optim.lr=2e-3",
    )
    what.add_argument(
        "--from",
        dest="parent",
        metavar="RUN/STEP",
        help="begin from a checkpoint on the host, such as demo-abcdef/step-00001000; `push` brings one",
    )
    what.add_argument(
        "--command",
        dest="as_command",
        action="store_true",
        help="run the command after -- instead of our trainer",
    )
    what.add_argument("argv", nargs="*", metavar="ARG", help="with --command: -- PROGRAM ARG ...")
    what.add_argument(
        "--ship",
        metavar="DIR",
        help="with --command: bring what git tracks and does not ignore of this folder, and run in it",
    )
    what.add_argument(
        "--ship-max",
        type=size_in_bytes,
        metavar="SIZE",
        help="how much code may go along, such as 200MB (default: 64 MiB)",
    )
    what.add_argument(
        "--ship-allow",
        action="append",
        default=[],
        metavar="FILE",
        help="a file of it that looks like a secret and is none",
    )
    what.add_argument(
        "--data-max",
        type=size_in_bytes,
        metavar="SIZE",
        help="how much text of local:PATH may go along, such as 20GB (default: 4 GiB)",
    )
    how = start.add_argument_group("how", NO_LIMITS)
    how.add_argument(
        "--tag", action="append", default=[], metavar="WORD", help="a tag of the run, as `photinus tag`"
    )
    how.add_argument("--name", help="a name for people (default: the preset, or the program)")
    how.add_argument("--device", help="cpu, mps, cuda-0 ... (default: what the configuration says)")
    how.add_argument("--shared", action="store_true", help="take no device lock: share the device knowingly")
    how.add_argument("--cwd", help="working directory on the host (default: here; elsewhere your home there)")
    how.add_argument(
        "--env", action="append", default=[], metavar="K=V", help="added to the run's environment"
    )
    how.add_argument("--env-file", metavar="FILE", help="lines of K=V, for secrets that should not be typed")
    how.add_argument(
        "--resume-command", metavar="TEXT", help="what `resume` runs for a command, as one shell-quoted text"
    )
    how.add_argument(
        "--on-end",
        metavar="TEXT",
        help="called on the host when the run is over, as one shell-quoted text ($PHOTINUS_ENDED_STATE: how)",
    )
    how.add_argument(
        "--stop-signal",
        default="SIGTERM",
        choices=STOP_SIGNALS,
        help="what `stop` sends to a command (default: SIGTERM)",
    )
    how.add_argument(
        "--restart",
        default="never",
        choices=["never", "on-failure", "always"],
        help="what the supervisor does when the run fails (default: never)",
    )
    how.add_argument(
        "--max-restarts",
        type=count,
        default=3,
        metavar="N",
        help="failures that --restart bears; one is forgotten for each hour that went well (default: 3)",
    )
    how.add_argument(
        "--restart-backoff",
        type=seconds,
        default=5.0,
        metavar="S",
        help="wait before the first restart, doubled with each failure (default: 5)",
    )
    how.add_argument(
        "--on-stall",
        type=stall_seconds,
        metavar="S",
        help="with --restart: seconds without a sign of life after which a run is ended and resumed; off for "
        "never. Left out: a command's never, of our trainer after ten usual steps and 10 minutes at least",
    )
    how.add_argument(
        "--limit", type=age, default=0.0, metavar="TIME", help="stop an attempt after so long: 30m, 8h, 2d"
    )
    how.add_argument("--start-id", help="makes the start repeatable: the same id never starts a second run")
    how.add_argument(
        "--after", metavar="RUN", help="wait in the queue until that run of the host has succeeded"
    )
    how.add_argument("--hold", action="store_true", help="wait in the queue until `photinus queue release`")
    how.add_argument("--queue", action="store_true", help="wait in the queue where the device is busy")
    how.add_argument(
        "--wait", choices=["running", "terminal"], help="return only when the run has come so far"
    )
    how.add_argument(
        "--timeout", type=seconds, default=60.0, metavar="S", help="how long --wait waits (default: 60)"
    )


def stall_seconds(text: str) -> float:
    """`off`, or seconds."""
    return 0.0 if text == "off" else seconds(text)
