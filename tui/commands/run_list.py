"""The runs of a host as `ls` lists them, and what it did not list."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from remote.protocol.sanitise import clean_line
from remote.protocol.views import RunView, checked
from remote.session.session import Session

RECENT = 20
PAGE = 200
PATIENCE_S = 30.0  # of a host that is loaded, and reads a long history for the first time
PAGES_MAX = 10_000


@dataclass(frozen=True, slots=True)
class RunList:
    """Runs that are not over first, then those that ended last.

    Attributes:
        left_out: how many more there are.
        is_by_choice: whether they were left out because no more were asked for.
        troubles: a sentence for each run that the host could not read, or the first of many.
        troubled: how many those are.
    """

    views: tuple[RunView, ...]
    left_out: int = 0
    is_by_choice: bool = True
    troubles: tuple[str, ...] = ()
    troubled: int = 0

    def remarks(self, host: str) -> Iterator[str]:
        """What a reader of the list must know, a sentence each: a part never passes for the whole."""
        if self.left_out and self.is_by_choice:
            are = "run that is over is" if self.left_out == 1 else "runs that are over are"
            yield f"{host}: {self.left_out:,} more {are} not listed: photinus ls --all lists them"
        elif self.left_out:
            yield (
                f"{host}: {self.left_out:,} more runs did not fit into the answer of its older Photinus: "
                f"photinus hosts deploy {host}"
            )
        for trouble in self.troubles:
            yield f"{host}: cannot be read: {trouble}"
        if self.troubled:
            more = self.troubled - len(self.troubles)
            and_more = f" (and {more:,} more)" if more > 0 else ""
            yield f"{host}: what cannot be read is left alone{and_more}: photinus doctor --host {host}"


def list_runs(session: Session, finished: int | None = RECENT) -> RunList:
    """Every run that is not over, and of the others the `finished` that ended last; None: all of them.

    Raises:
        CallError: the host did not say it in time.
        ProtocolError: its answer makes no sense.
    """
    hello = session.hello
    if hello is None or not hello.has_pages:
        return _part(session.call("runs", timeout=PATIENCE_S), by_choice=False)
    found: dict[str, RunView] = {}
    skip = 0
    for _ in range(PAGES_MAX):
        most = PAGE if finished is None else finished
        answer = session.call("runs", {"finished": most, "skip": skip}, timeout=PATIENCE_S)
        page = _part(answer, by_choice=finished is not None)
        found.update((view.run_id, view) for view in page.views)  # a run that went on is told anew
        live, following = (checked(answer, name, (int,)) for name in ("live", "next"))
        if following <= skip or (finished is not None and following >= live + finished):
            break
        skip = following
    return replace(page, views=tuple(found.values()))


def _part(answer: dict[str, object], *, by_choice: bool) -> RunList:
    told = {"left_out": 0, "troubles": [], **answer}
    troubles = tuple(clean_line(str(one)) for one in checked(told, "troubles", (list,)))
    return RunList(
        views=tuple(RunView.from_json(row) for row in checked(told, "runs", (list,))),
        left_out=checked(told, "left_out", (int,)),
        is_by_choice=by_choice,
        troubles=troubles,
        troubled=checked({"troubled": len(troubles), **told}, "troubled", (int,)),
    )
