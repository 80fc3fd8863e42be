"""Asking a host away from the screen: what comes of it is told on the screen's thread."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from remote.protocol.errors import CallError
from trainer.user_error import UserError
from tui.screens.bridge import OnOutcome

if TYPE_CHECKING:
    from remote.actions import Outcome

A = TypeVar("A")
Post = Callable[[Callable[[], None]], None]


class Errands:
    """Each errand has a thread of its own, a daemon: leaving never waits for a host."""

    def __init__(self, post: Post) -> None:
        """`post` runs a function on the screen's thread."""
        self._post = post

    def _answer(self, ask: Callable[[], A], on_answer: Callable[[A | CallError], None]) -> None:
        """Ask away from the screen; the answer, or why there is none, comes on its thread."""

        def work() -> None:
            try:
                answer: A | CallError = ask()
            except CallError as error:
                answer = error
            self._post(lambda: on_answer(answer))

        threading.Thread(target=work, name="photinus-call", daemon=True).start()

    def _do(self, act: Callable[[], "Outcome"], on_outcome: OnOutcome) -> None:
        """Run a blocking act, and tell how it went."""

        def work() -> None:
            from remote.actions import Outcome

            try:
                outcome = act()
            except CallError as error:
                outcome = Outcome(False, None, error.code, error.message, error.remedy)
            except UserError as error:
                outcome = Outcome(False, None, "internal", error.message, error.remedy)
            except OSError as error:
                outcome = Outcome(False, None, "internal", str(error))
            self._post(lambda: on_outcome(outcome))

        threading.Thread(target=work, name="photinus-act", daemon=True).start()
