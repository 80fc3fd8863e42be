"""The runs of a host as `ls` lists them, and what it did not list."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from remote.protocol.arguments import RunsArgs
from remote.protocol.results import RunList
from remote.protocol.verbs import RUNS
from remote.protocol.views import RunFilter, RunView
from remote.session.session import Session

RECENT = 20
PAGE = 200
FILTERS = (1, 2)  # the protocol that knows `only`
PATIENCE_S = 30.0  # of a host that is loaded, and reads a long history for the first time
PAGES_MAX = 10_000


@dataclass(frozen=True, slots=True)
class ListedRuns:
    """Runs that are not over first, then those that ended last.

    Attributes:
        left_out: how many more there are.
        is_by_choice: whether they were left out because no more were asked for.
        troubles: a sentence for each run that the host could not read, or the first of many.
        troubled: how many those are.
        left: of runs that are over, what still lives of them.
        wall: the host's clock at that moment; 0: it was not asked.
    """

    views: tuple[RunView, ...]
    left_out: int = 0
    is_by_choice: bool = True
    troubles: tuple[str, ...] = ()
    troubled: int = 0
    left: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    wall: float = 0.0

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


def list_runs(session: Session, finished: int | None = RECENT, only: RunFilter | None = None) -> ListedRuns:
    """Every run that is not over, and of the others the `finished` that ended last; None: all of them.

    `only`: of those that fit; a host that is too old to know it tells all, and they are sifted here.

    Raises:
        CallError: the host did not say it in time.
        ProtocolError: its answer makes no sense.
    """
    hello = session.hello
    if only is not None and only != RunFilter() and (hello is None or hello.proto < FILTERS):
        return _sifted(list_runs(session, None), only, finished)
    if hello is None or not hello.has_pages:
        return _part(session.call(RUNS, RunsArgs(), timeout=PATIENCE_S), by_choice=False)
    sent = None if only == RunFilter() else only
    found: dict[str, RunView] = {}
    left: dict[str, tuple[str, ...]] = {}
    skip = 0
    for _ in range(PAGES_MAX):
        asked = RunsArgs(finished=PAGE if finished is None else finished, skip=skip, only=sent)
        answer = session.call(RUNS, asked, timeout=PATIENCE_S)
        page = _part(answer, by_choice=finished is not None)
        found.update((view.run_id, view) for view in page.views)  # a run that went on is told anew
        left.update(page.left)
        enough = finished is not None and answer.next >= (answer.live or 0) + finished
        if answer.next <= skip or enough:
            break
        skip = answer.next
    return replace(page, views=tuple(found.values()), left=left)


def _sifted(whole: ListedRuns, only: RunFilter, finished: int | None) -> ListedRuns:
    fitting = [view for view in whole.views if only.fits(view)]
    over = [view for view in fitting if view.is_terminal]
    kept = {view.run_id for view in over[:finished]}
    views = tuple(view for view in fitting if not view.is_terminal or view.run_id in kept)
    return replace(whole, views=views, left_out=len(over) - len(kept), is_by_choice=True)


def _part(answer: RunList, *, by_choice: bool) -> ListedRuns:
    return ListedRuns(
        views=tuple(answer.runs),
        left_out=answer.left_out,
        is_by_choice=by_choice,
        troubles=tuple(answer.troubles),
        troubled=max(answer.troubled, len(answer.troubles)),
        wall=answer.wall,
        left={run_id: tuple(names) for run_id, names in answer.left.items()},
    )
