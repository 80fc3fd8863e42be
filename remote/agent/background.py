"""Work that would hold up the agent's loop, done beside it."""

import threading
from collections.abc import Callable, Generator
from typing import TypeVar

T = TypeVar("T")


def in_thread(work: Callable[[], T]) -> Generator[None, None, T]:
    """Run what may take seconds (hashing gigabytes) beside the loop.

    Raises:
        Whatever `work` raises.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def body() -> None:
        try:
            results.append(work())
        except BaseException as error:  # carried over to the caller, whole
            errors.append(error)

    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    while thread.is_alive():
        yield
    if errors:
        raise errors[0]
    return results[0]
