"""`python -P -m remote.agent --stdio`: serve one client until it leaves; `--contact`: once, without one."""

import argparse
import gc
import os
import stat
import sys

from remote.agent.starts.environment import deployed_root
from remote.protocol.errors import CallError
from remote.protocol.messages import MAGIC, encode_error

IDLE_EXIT_S = 60.0


def main() -> int:
    """Exit codes: 0 the client left or was silent, 1 a contact met trouble, 2 usage, 3 an unsafe root."""
    parser = argparse.ArgumentParser(prog="photinus-agent", description="The host's end of a Photinus link.")
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--stdio", action="store_true", help="speak on stdin and stdout")
    way.add_argument(
        "--contact", action="store_true", help="adopt, mark, resume and queue once, as at boot; then leave"
    )
    parser.add_argument("--idle-exit", type=float, default=IDLE_EXIT_S, help="seconds without a ping to live")
    options = parser.parse_args()
    if options.contact:
        return contact_once()
    if not can_be_heard():
        sys.stderr.write("photinus-agent: nobody can speak with it: stdin is no pipe, socket or terminal\n")
        return 2
    sys.stdout.buffer.write(MAGIC)
    sys.stdout.buffer.flush()
    gc.disable()  # nothing of what is loaded is garbage
    from remote.agent.service import Service
    from trainer.run.home import open_home
    from trainer.run.run_errors import HomeError

    gc.freeze()
    gc.enable()
    try:
        home = open_home(deployed_root())
    except HomeError as error:
        # The first request is always hello, with id 1: this is its answer.
        sys.stdout.buffer.write(encode_error(1, CallError("refused", str(error))))
        sys.stdout.buffer.flush()
        return 3
    if (home.root / "envs").is_dir():
        from remote.agent.starts.autostart import renew

        renew(home.root)
    return Service(home, idle_exit_s=options.idle_exit).serve()


def can_be_heard(stdin: int = 0) -> bool:
    """Whether a client can be at the other end: of a file, or of /dev/null, nothing can be waited for."""
    try:
        kind = os.fstat(stdin).st_mode
    except OSError:  # closed
        return False
    return stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind) or os.isatty(stdin)


def contact_once() -> int:
    """What a unit of `photinus hosts autostart` runs; it talks on stderr."""
    from remote.agent.starts.unattended import contact
    from trainer.run.home import open_home
    from trainer.run.run_errors import HomeError

    try:
        home = open_home(deployed_root())
    except HomeError as error:
        sys.stderr.write(f"photinus: {error}\n")
        return 3

    def say(text: str) -> None:
        sys.stderr.write(f"photinus: {text}\n")

    return contact(home, say)


if __name__ == "__main__":
    sys.exit(main())
