"""Which checkpoints of a catalog were asked for: pure."""

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from remote.protocol.errors import CallError
from remote.transfer.catalog import Catalog, RemoteCheckpoint

Which = Literal["latest", "best", "match", "since", "all"]


@dataclass(frozen=True, slots=True)
class Choice:
    """`match` takes `glob`, of a name or of a kind; `since` the steps from `step` on."""

    which: Which = "latest"
    glob: str = ""
    step: int = 0

    @property
    def is_one(self) -> bool:
        """Whether it means a single checkpoint, whichever that is at the moment."""
        return self.which in ("latest", "best")

    def __str__(self) -> str:
        words = {"match": f"that matches {self.glob!r}", "since": f"from step {self.step} on"}
        return words.get(self.which, "")


def choose(catalog: Catalog, choice: Choice) -> list[RemoteCheckpoint]:
    """Those that can be read, newest first.

    Raises:
        CallError: `not_found`: there is none.
    """
    whole = [one for one in catalog.checkpoints if not one.why]
    chosen = [one for one in whole if _fits(one, choice)]
    if not chosen:
        raise _nothing(catalog, choice, whole)
    return chosen


def unreadable(catalog: Catalog, choice: Choice) -> dict[str, str]:
    """Name -> why of those that would have been meant and that the host cannot read."""
    newest = max((one.step for one in catalog.checkpoints if not one.why), default=0)
    return {
        one.name: one.why
        for one in catalog.checkpoints
        if one.why and (one.step > newest if choice.which == "latest" else _fits(one, choice))
    }


def _fits(one: RemoteCheckpoint, choice: Choice) -> bool:
    if choice.which == "latest":
        return one.is_latest
    if choice.which == "best":
        return one.is_best
    if choice.which == "match":
        return any(fnmatch.fnmatchcase(word, choice.glob) for word in (one.name, one.kind))
    return choice.which == "all" or one.step >= choice.step


def _nothing(catalog: Catalog, choice: Choice, whole: Sequence[RemoteCheckpoint]) -> CallError:
    if not whole:
        broken = [one for one in catalog.checkpoints if one.why]
        why = f"none that can be read: {broken[0].name}: {broken[0].why}" if broken else "none yet"
        return CallError("not_found", f"{catalog.run_id} has no checkpoint ({why})", "wait for its next save")
    if choice.which == "best":
        return CallError(
            "not_found",
            f"no checkpoint of {catalog.run_id} was evaluated, so none is the best",
            "--latest, or --match with its name",
        )
    names = ", ".join(one.name for one in whole[:5]) + (", ..." if len(whole) > 5 else "")
    return CallError("not_found", f"{catalog.run_id} has no checkpoint {choice}", f"it has {names}")
