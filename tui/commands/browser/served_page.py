"""The cockpit of one page: it ends with the server that started it, however that one ended."""

import os
import signal
import threading
import time
from collections.abc import Callable

LOOK_S = 1.0
TERMINAL_VARIABLES = (
    "TEXTUAL_DRIVER",
    "TEXTUAL_FPS",
    "TEXTUAL_COLOR_SYSTEM",
    "TERM_PROGRAM",
    "TERM_PROGRAM_VERSION",
)
"""What tells Textual of the page; a run that is started from it shall not inherit them."""


def _leave() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def end_with_server(leave: Callable[[], None] = _leave, every_s: float = LOOK_S) -> threading.Thread:
    """Leave as soon as the server is gone: nobody could see or answer this cockpit any more. Runs go on."""
    import textual.constants  # noqa: F401  Textual takes what it is told of the page when it is first imported

    for name in TERMINAL_VARIABLES:
        os.environ.pop(name, None)
    server = os.getppid()

    def watch() -> None:
        while os.getppid() == server:
            time.sleep(every_s)
        leave()

    watching = threading.Thread(target=watch, name="photinus-server", daemon=True)
    watching.start()
    return watching
