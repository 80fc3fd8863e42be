"""From which run a run came and which came from it, wherever they lie: each host is asked, none is believed
to know of the others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from remote.protocol.errors import CallError
from remote.protocol.keeping import KinArgs, KinList, KinRow
from trainer.run.layout import RUN_ID

ROUNDS_MAX = 64
ASKED_MAX = 500
FAMILY_MAX = 5000


@dataclass(frozen=True, slots=True)
class Relative:
    """A run of the family on a host; `parent`: the run that it came from, at the checkpoint `begun`."""

    host: str
    row: KinRow

    @property
    def parent(self) -> str:
        """The id of that run; empty where it came from none, or what the host says is no id."""
        parent = self.row.parent.partition("/")[0]
        return parent if RUN_ID.fullmatch(parent) else ""

    @property
    def begun(self) -> str:
        """The checkpoint of the parent."""
        return self.row.parent.partition("/")[2] if self.parent else ""


@dataclass(slots=True)
class Family:
    """What the hosts said. `silent`: why a host could not say it, or not all of it."""

    run_id: str
    found: dict[tuple[str, str], Relative] = field(default_factory=dict)
    silent: dict[str, CallError] = field(default_factory=dict)

    def homes(self, run_id: str) -> list[Relative]:
        """A run on each host that has it."""
        return [one for (_, found), one in self.found.items() if found == run_id]

    def parent_of(self, run_id: str) -> str:
        """The run that it came from; empty where from none."""
        return next((one.parent for one in self.homes(run_id) if one.parent), "")

    def tree(self) -> list[tuple[int, str]]:
        """Depth and id of each run, the oldest first; also of parents that no host has."""
        ids = {run_id for _, run_id in self.found} | {self.run_id}
        parents = {run_id: self.parent_of(run_id) for run_id in sorted(ids)}
        nodes = sorted(ids | {*parents.values()} - {""})
        children: dict[str, list[str]] = {}
        for run_id, parent in parents.items():
            children.setdefault(parent, []).append(run_id)
        roots = [run_id for run_id in nodes if not parents.get(run_id)]
        rows: dict[str, int] = {}
        for root in [*roots, *nodes]:  # who names itself as its origin, round about, hangs below no root
            todo = [(0, root)]
            while todo:
                depth, run_id = todo.pop()
                if run_id not in rows:
                    rows[run_id] = depth
                    todo += [(depth + 1, one) for one in children.get(run_id, [])[::-1]]
        return [(depth, run_id) for run_id, depth in rows.items()]


def gather(asks: Mapping[str, Callable[[KinArgs], KinList]], run_id: str) -> Family:
    """Ask every host, and again for what another one has named, until nothing new is heard.

    A host that fails is one of the `silent`, and the others are asked on.
    """
    family = Family(run_id)
    above, below = {run_id}, {run_id}
    asked_above, asked_below = set[str](), set[str]()
    for _ in range(ROUNDS_MAX):
        new_above, new_below = sorted(above - asked_above), sorted(below - asked_below)
        if not new_above and not new_below:
            break
        asked_above |= {*new_above}
        asked_below |= {*new_below}
        for host, ask in asks.items():
            if host not in family.silent:
                _hear(family, host, ask, new_above, new_below)
        _close(family, above, below)
        if len(family.found) > FAMILY_MAX:
            break
    return family


def _hear(
    family: Family, host: str, ask: Callable[[KinArgs], KinList], above: list[str], below: list[str]
) -> None:
    for first in range(0, max(len(above), len(below)), ASKED_MAX):
        part = slice(first, first + ASKED_MAX)
        try:
            told = ask(KinArgs(above=above[part], below=below[part]))
        except CallError as error:
            family.silent[host] = error
            return
        for row in told.runs:
            if RUN_ID.fullmatch(row.run_id):
                family.found[(host, row.run_id)] = Relative(host, row)
        if told.left_out:
            family.silent[host] = CallError(
                "refused", f"{told.left_out:,} more runs of the family are there", "ask for one further down"
            )
            return


def _close(family: Family, above: set[str], below: set[str]) -> None:
    """Who of those that were told is above and who below the run that is asked for."""
    grows = True
    while grows:
        before = len(above) + len(below)
        for one in family.found.values():
            if one.row.run_id in above and one.parent:
                above.add(one.parent)
            if one.parent in below:
                below.add(one.row.run_id)
        grows = len(above) + len(below) > before
