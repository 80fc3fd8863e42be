"""How an act that was asked of a worker ended."""

import threading
from collections.abc import Callable

from remote.actions import Outcome

PATIENCE_S = 120.0


def outcome_of(ask: Callable[[Callable[[Outcome], None]], None]) -> Outcome:
    """How an act ended, whenever that is."""
    came, box = threading.Event(), list[Outcome]()

    def told(outcome: Outcome) -> None:
        box.append(outcome)
        came.set()

    ask(told)
    assert came.wait(PATIENCE_S)
    return box[0]
