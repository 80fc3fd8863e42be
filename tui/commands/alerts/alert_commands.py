"""`photinus alerts ...`: what is found in runs and on hosts, sent outward."""

import argparse
from collections.abc import Callable

from tui.commands.alerts.autostart import autostart
from tui.commands.alerts.sent import list_sent
from tui.commands.alerts.trial_notice import try_channels
from tui.commands.alerts.watch import watch
from tui.commands.arguments import Commands, add_bare_command, count

ABOUT = """Alerts go to webhooks, ntfy, Slack, Discord or a command, as client/alerts/notices.yaml says."""


def alerts(args: argparse.Namespace) -> int:
    """Carry out one of them; without a name, list."""
    act: Callable[[argparse.Namespace], int] = getattr(args, "act", list_sent)
    return act(args)


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {"alerts": alerts}


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add these commands to the command line."""
    parser = commands.add_parser("alerts", help="alerts sent outward, without a screen", description=ABOUT)
    parser.set_defaults(json=False, last=50)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", title="verbs (default: list)")
    one = add_bare_command(verbs, "watch", "hear every host and send each alert, until it is interrupted")
    one.set_defaults(act=watch)
    one = add_bare_command(verbs, "list", "what was sent, of which run on which host, when and to whom")
    one.set_defaults(act=list_sent)
    one.add_argument("--last", type=count, default=50, metavar="N", help="the newest N (default: 50)")
    one = add_bare_command(verbs, "test", "send one test notice to every channel, and say what came of it")
    one.set_defaults(act=try_channels)
    one = add_bare_command(verbs, "autostart", "watch from every login on")
    one.set_defaults(act=autostart)
    one.add_argument("--remove", action="store_true", help="no longer")
