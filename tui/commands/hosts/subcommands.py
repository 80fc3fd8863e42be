"""`photinus hosts ...`: the machines that can be reached."""

import argparse
from collections.abc import Callable
from typing import get_args

from remote.hosts.host import Host
from remote.hosts.hosts_file import KINDS
from tui.commands.arguments import Commands, add_bare_command
from tui.commands.hosts.add import add, test
from tui.commands.hosts.deploy import autostart, deploy, doctor
from tui.commands.hosts.known import import_hosts, list_hosts, remove

ABOUT = """A host is one entry of hosts.yaml: a name, and an address that `ssh` understands."""


def hosts(args: argparse.Namespace) -> int:
    """Carry out one of them; without a name, list."""
    act: Callable[[argparse.Namespace], int] = getattr(args, "act", list_hosts)
    return act(args)


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {"hosts": hosts}


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add these commands to the command line."""
    parser = commands.add_parser("hosts", help="the machines that can be reached", description=ABOUT)
    parser.set_defaults(json=False)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", title="verbs (default: list)")
    _verb(verbs, "list", list_hosts, "list the hosts, what is deployed there, and when they were last heard")
    _add_add(verbs)
    one = _verb(verbs, "test", test, "walk the way to a host, and say of each step how it went")
    _name(one)
    _add_keys(one)
    one = _verb(verbs, "remove", remove, "take a host out of hosts.yaml; nothing on the host is touched")
    _name(one)
    one.add_argument("--force", action="store_true", help="also where its runs are not over")
    one = _verb(verbs, "deploy", deploy, "bring our code to a host; what runs there goes on")
    _name(one)
    one.add_argument("--force", action="store_true", help="build and try again what is there already")
    one.add_argument(
        "--trust-index", action="store_true", help="install what the host's index gives, whatever its hashes"
    )
    one.add_argument(
        "--wheels",
        default="",
        metavar="DIR",
        help="bring the wheels of this folder over; no index is asked",
    )
    one.add_argument(
        "--skip-selftest", action="store_true", help="train on no accelerator; `doctor` names what would"
    )
    one.add_argument("--check", action="store_true", help="only say what is deployed, and what is kept")
    one.add_argument("--clean", action="store_true", help="only remove environments that nothing needs")
    one.add_argument("--dry-run", action="store_true", help="with --clean: only say what would go")
    _add_keys(one)
    one = _verb(verbs, "autostart", autostart, "let a host resume its runs by itself when it starts")
    _name(one)
    one.add_argument("--remove", action="store_true", help="no longer")
    _name(_verb(verbs, "doctor", doctor, "what is wrong on a host, in words (as `photinus doctor --host`)"))
    one = _verb(verbs, "import", import_hosts, "add every host that ~/.ssh/config names")
    one.add_argument("--dry-run", action="store_true", help="say what would be added, and add nothing")


def _verb(
    verbs: "Commands[argparse.ArgumentParser]",
    name: str,
    act: Callable[[argparse.Namespace], int],
    text: str,
) -> argparse.ArgumentParser:
    parser = add_bare_command(verbs, name, text)
    parser.set_defaults(act=act)
    return parser


def _name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the host as hosts.yaml calls it")


def _add_add(verbs: "Commands[argparse.ArgumentParser]") -> None:
    one = _verb(verbs, "add", add, "test the way to a host and add it to hosts.yaml")
    one.add_argument("name", metavar="NAME", help="what you want to call it")
    one.add_argument(
        "address",
        metavar="ADDRESS",
        nargs="?",
        default="",
        help="an alias of ~/.ssh/config, user@host or user@host:port (default: NAME)",
    )
    usual = Host("")
    one.add_argument("--home", default="", help="state root there (default: ~/.photinus)")
    one.add_argument("--python", default="", help="an interpreter there whose torch is used")
    one.add_argument(
        "--torch", default="", help="which build of torch a deploy installs (default: by driver)"
    )
    one.add_argument("--checkpoints", default="", help="folder here that `pull` fills")
    one.add_argument("--confirm", choices=get_args(KINDS["confirm"]), default=usual.confirm,
                     help="what `x` and `K` ask in the cockpit (default: twice)")  # fmt: skip
    one.add_argument("--auto-pull", choices=["best"], default="", help="fetch each new best checkpoint")
    one.add_argument("--no-test", action="store_true", help="add it as it is, reachable or not")
    both = one.add_mutually_exclusive_group()
    both.add_argument("--deploy", action="store_true", help="deploy to it at once, without asking")
    both.add_argument("--no-deploy", action="store_true", help="do not deploy, and do not ask")
    _add_keys(one)


def _add_keys(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--accept-host-key",
        action="append",
        default=[],
        metavar="SHA256:...",
        help="trust this key of a host (or jump) that is not known yet",
    )
    parser.add_argument(
        "--accept-proxy-command",
        action="append",
        default=[],
        metavar="HASH",
        help="run this ProxyCommand of ~/.ssh/config, as `hosts test` names it",
    )
