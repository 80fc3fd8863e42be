"""A disk that is full from its n-th change on: what makes, grows, links, renames or syncs a file fails."""

import errno
import os
from collections.abc import Callable
from typing import Any

import pytest

CHANGES = ("write", "fsync", "mkdir", "link", "rename", "replace")


class Disk:
    """Refuses change number `first`, and with `lasting` every later one too, until `free()`.

    Attributes:
        changes: how many were tried so far. refused: which of them failed, by name.
    """

    def __init__(self, patch: pytest.MonkeyPatch, first: int = 0, *, lasting: bool = True) -> None:
        self.changes = 0
        self.refused: list[str] = []
        self._first, self._lasting, self._is_free = first, lasting, False
        owner: Any = os
        for name in CHANGES:
            patch.setattr(owner, name, self._wrapped(name, getattr(os, name)))
        patch.setattr(owner, "open", self._opening(os.open))

    def free(self) -> None:
        """There is space again."""
        self._is_free = True

    def _wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def change(*args: Any, **more: Any) -> Any:
            if name != "mkdir" or not os.path.isdir(args[0]):  # noqa: PTH112
                self._count(name)
            return real(*args, **more)

        return change

    def _opening(self, real: Callable[..., int]) -> Callable[..., int]:
        def opened(path: Any, flags: int, *args: Any, **more: Any) -> int:
            if flags & os.O_CREAT and not os.path.lexists(path):
                self._count("create")
            return real(path, flags, *args, **more)

        return opened

    def _count(self, name: str) -> None:
        if self._is_free:
            return
        self.changes += 1
        hit = self.changes >= self._first if self._lasting else self.changes == self._first
        if self._first and hit:
            self.refused.append(name)
            raise OSError(errno.ENOSPC, "No space left on device")
