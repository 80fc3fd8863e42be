"""`serve`: the cockpit in a browser of this machine, for who has the address that works once."""

import argparse
import contextlib
import errno
import os
import shlex
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

from remote.hosts.client_state import make_client_folder
from remote.protocol.errors import CallError
from tui.commands.arguments import EXIT_CODES, Commands, port
from tui.commands.browser.entry_page import write_opener
from tui.commands.browser.page_access import LOOPBACK, PageAccess
from tui.commands.output import OK, say, tell
from tui.remembered.kept_place import PAGE_VARIABLE

ABOUT = """Shows the cockpit in a browser of this machine, until ctrl+c. It listens on 127.0.0.1 alone; the
address it prints lets one browser in, once. `q` in the page, or closing it, ends the cockpit of that page;
runs go on."""

COMMAND = shlex.join([sys.executable, "-P", "-m", "tui"])


def serve(args: argparse.Namespace) -> int:
    """Serve until it is interrupted.

    Raises:
        CallError: what it needs is not installed, or the port cannot be had.
    """
    if any(find_spec(name) is None for name in ("textual_serve", "aiohttp")):
        raise CallError(
            "refused",
            "the cockpit in a browser needs textual-serve, which is not installed here",
            "pip install 'photinus[serve]'",
        )
    from tui.commands.browser.web_server import run_server

    with listen(args.port) as listening:
        access = PageAccess(listening.getsockname()[1])
        folder = make_client_folder("browser")
        opener, place = folder / f"open-{access.port}.html", folder / f"place-{access.port}.json"
        place.unlink(missing_ok=True)
        write_opener(opener, access.address)
        os.environ[PAGE_VARIABLE] = str(place)
        try:
            with contextlib.suppress(KeyboardInterrupt):  # before the server takes the signal itself
                announce(access, opener, opens=not args.no_open and has_display(os.environ))
                run_server(f"exec {COMMAND}", access, listening, lambda: opener.unlink(missing_ok=True))
        finally:
            for file in (opener, place):
                file.unlink(missing_ok=True)
    say("the cockpit is served no longer; runs go on")
    return OK


def listen(number: int) -> socket.socket:
    """A socket on the loopback, at this port; 0 takes one that is free.

    Raises:
        CallError: the port cannot be had.
    """
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((LOOPBACK, number))
        listening.listen()
    except OSError as error:
        listening.close()
        is_taken = error.errno == errno.EADDRINUSE
        why = "something else listens there" if is_taken else str(error.strerror)
        raise CallError(
            "device_busy" if is_taken else "refused",
            f"port {number} of {LOOPBACK} cannot be had: {why}",
            "name another with `photinus serve --port N`, or none: then one that is free is taken",
        ) from error
    return listening


def announce(
    access: PageAccess,
    opener: Path,
    *,
    opens: bool,
    show: Callable[[str], object] = webbrowser.open,
) -> None:
    """Say where it is, and show it. The token goes to a terminal or into a file of this user's, not a log."""
    if sys.stdout.isatty():
        tell(f"the cockpit is at {access.address}\n  that address works once; ctrl+c ends it")
    else:
        tell(f"the cockpit is at {access.origin}; {opener} opens it, once")
    sys.stdout.flush()
    if opens:  # a browser in the terminal would wait here

        def open_it() -> None:
            with contextlib.suppress(webbrowser.Error, OSError):
                show(opener.as_uri())

        threading.Thread(target=open_it, name="photinus-open", daemon=True).start()


def has_display(environment: Mapping[str, str], platform: str = sys.platform) -> bool:
    """Whether a browser would have a window here, before this very person."""
    if platform == "darwin":
        return "SSH_CONNECTION" not in environment
    return any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {"serve": serve}


def add_to(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add it to the command line."""
    parser = commands.add_parser(
        "serve",
        help="show the cockpit in a browser of this machine, until ctrl+c",
        description=ABOUT,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--port", type=port, default=0, metavar="N", help="listen here (default: one that is free)"
    )
    parser.add_argument("--no-open", action="store_true", help="print the address, and open no browser")
