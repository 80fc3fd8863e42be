"""A client of its own, to be stopped and killed: follows one run to its end and prints what it hears.

`python -m tests.end_to_end.ssh.watcher NAME ADDRESS RUN_ID`; the host must be placed, its key known.
"""

import faulthandler
import sys
import time

from remote.hosts.host import Host
from remote.session.session import connect
from remote.session.updates import Bytes, StreamEnd
from tests.end_to_end.ssh.box import QUICK


def main() -> None:
    """Exits with 0 at the end of the run's log; tells its stacks when it is ended by SIGABRT."""
    faulthandler.enable()
    name, address, run_id = sys.argv[1:]
    with connect(Host(name, address=address), timeout=20.0, timings=QUICK) as session:
        session.follow(run_id)
        while True:
            for one in session.drain():
                if isinstance(one, Bytes):
                    sys.stdout.buffer.write(one.data)
                    sys.stdout.buffer.flush()
                elif isinstance(one, StreamEnd):
                    return
            time.sleep(0.01)


if __name__ == "__main__":
    main()
