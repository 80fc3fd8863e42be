"""A host's answer to `runs`: the runs, and what it says that it could not say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from remote.protocol.errors import ProtocolError
from remote.protocol.sanitise import clean_line
from remote.protocol.views import RunView, checked

TROUBLES_MAX = 100
TROUBLE_MAX = 500


@dataclass(frozen=True, slots=True)
class RunList:
    """Runs in the host's order.

    Attributes:
        troubles: a sentence for each run that cannot be read on the host, or was told wrongly.
        left_out: runs that did not fit into the answer.
    """

    runs: tuple[RunView, ...]
    troubles: tuple[str, ...] = ()
    left_out: int = 0

    @property
    def partial(self) -> tuple[str, ...]:
        """What is missing, a sentence each; nothing where the list is whole."""
        more = f"{self.left_out:,} more runs did not fit into the host's answer" if self.left_out else ""
        return (*self.troubles, *([more] if more else []))

    @classmethod
    def from_json(cls, answer: Mapping[str, Any]) -> "RunList":
        """Check and freeze. A row that makes no sense becomes a trouble, and hides no other.

        Raises:
            ProtocolError: there is no list, or nothing in it makes sense.
        """
        runs, wrong = views_of(checked(answer, "runs", (list,)))
        if wrong and not runs:
            raise ProtocolError(wrong[0])
        told = answer.get("troubles")
        troubles = [clean_line(str(one)) for one in told[:TROUBLES_MAX]] if isinstance(told, list) else []
        unsaid, left_out = answer.get("troubles_left_out"), answer.get("left_out")
        if isinstance(unsaid, int) and unsaid > 0:
            troubles.append(f"{unsaid:,} more runs of the host have trouble: photinus doctor names them")
        every = (sentence[:TROUBLE_MAX] for sentence in (*troubles, *wrong[:TROUBLES_MAX]))
        count = left_out if isinstance(left_out, int) and not isinstance(left_out, bool) else 0
        return cls(tuple(runs), tuple(every), max(0, count))


def views_of(rows: Iterable[object]) -> tuple[list[RunView], list[str]]:
    """The runs of some rows, and a sentence for each row that makes no sense."""
    views, troubles = [], []
    for row in rows:
        try:
            views.append(RunView.from_json(row))
        except ProtocolError as error:
            name = clean_line(str(row.get("run_id"))[:100]) if isinstance(row, dict) else "a run"
            troubles.append(f"{name} is told wrongly: {error}")
    return views, troubles
