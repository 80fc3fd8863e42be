"""`python -P -m remote.agent --stdio`: serve one client until it leaves."""

import argparse
import sys

from remote.agent.service import IDLE_EXIT_S, Service
from remote.errors import CallError
from remote.protocol import MAGIC, encode_error


def main() -> int:
    """Exit codes: 0 the client left or was silent, 3 the state root is unsafe."""
    parser = argparse.ArgumentParser(prog="photinus-agent", description="The host's end of a Photinus link.")
    parser.add_argument("--stdio", action="store_true", required=True, help="speak on stdin and stdout")
    parser.add_argument("--idle-exit", type=float, default=IDLE_EXIT_S, help="seconds without a ping to live")
    options = parser.parse_args()
    sys.stdout.buffer.write(MAGIC)
    sys.stdout.buffer.flush()
    from trainer.run.errors import HomeError
    from trainer.run.home import open_home

    try:
        home = open_home()
    except HomeError as error:
        # The first request is always hello, with id 1: this is its answer.
        sys.stdout.buffer.write(encode_error(1, CallError("refused", str(error))))
        sys.stdout.buffer.flush()
        return 3
    return Service(home, idle_exit_s=options.idle_exit).serve()


if __name__ == "__main__":
    sys.exit(main())
