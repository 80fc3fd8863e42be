"""The Fleet as the operator looks at it: filters, orders, folds, marks, and the row that a key acts on."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remote.protocol.views import RunView
from remote.session.updates import LinkChanged, RunChanged, RunsSeen
from tests.trials import trials
from tests.tui.fake import START, WALL, view
from tests.tui.store.test_store import UP
from tui.store.fleet.fleet_look import BY, FleetLook
from tui.store.fleet.row_cursor import RowCursor
from tui.store.fleet.run_query import RunQuery
from tui.store.store import RunKey, Store

HOSTS = ("local", "box")
RUNS = [
    view("lorenz-aaaaaa", name="lorenz", tags=("paper", "v3"), note="seed of Table 2"),
    view("sweep-bbbbbb", name="sweep", state="failed", preset="s4", since=WALL - 7200, reason="code 1"),
    view("sweep-cccccc", name="sweep", state="succeeded", preset="s4", since=WALL - 400_000),
]


def fleet() -> Store:
    store = Store(HOSTS)
    for host in HOSTS:
        store.apply(host, LinkChanged(UP), START, WALL)
        store.apply(host, RunsSeen(tuple(RUNS), WALL), START, WALL)
    return store


def found(text: str) -> set[str]:
    look = FleetLook(query=RunQuery.of(text))
    return {key[1][-1] for group in look.groups(fleet(), WALL) for key in group.keys}


@pytest.mark.parametrize(("typed", "runs"), [
    ("", "abc"), ("sweep", "bc"), ("!sweep", "a"), ("paper", "a"), ("tag:v3", "a"), ("!tag:v", "bc"),
    ("table", "a"), ("state:run", "a"), ("state:live", "a"), ("state:over !state:failed", "c"),
    ("preset:s4 age:<3h", "b"), ("age:>3d", "c"), ("!age:>3d", "ab"), ("age:today", "ab"),
    ("age:week", "abc"),
    ("host:box", "abc"), ("host:nowhere", ""), ("!host:", "abc"), ("state:", "abc"), ("!", "abc"),
    ("SWEEP State:FAILED", "b"), ("age:<2", "abc"), ("age:soon", "abc"),
])  # fmt: skip
def test_every_word_must_fit_and_what_is_not_finished_keeps_nothing_away(typed: str, runs: str) -> None:
    assert found(typed) == set(runs)


def test_a_word_that_cannot_be_read_is_told() -> None:
    assert RunQuery.of("sweep age:soon").fault == "age:soon: say age:<2h, age:>3d or age:today"
    assert not RunQuery.of("age:").fault


def test_a_host_without_a_run_that_fits_is_left_out_and_a_filter_unfolds() -> None:
    store, look = fleet(), FleetLook()
    listed = tuple(view(f"old{n:02d}-aaaaaa", state="stopped", since=WALL - n) for n in range(20))
    store.apply("box", RunsSeen((*RUNS, *listed), WALL), START, WALL)
    assert [(group.host, group.hidden) for group in look.groups(store, WALL)] == [("local", 0), ("box", 15)]
    look.query = RunQuery.of("old")
    assert [(group.host, len(group.keys)) for group in look.groups(store, WALL)] == [("box", 20)]


def test_a_column_sorts_turns_and_goes_back_and_what_is_not_told_is_last() -> None:
    store, look = fleet(), FleetLook()
    for key, step in zip(store.runs, (30, 10, None, 7, 9, 8), strict=True):
        store.runs[key].step = step
    order = []
    for _ in range(3):
        look.sort_by("step")
        order.append("".join(key[1][-1] for key in look.groups(store, WALL)[0].keys))
    assert order == ["bac", "abc", "abc"]
    assert (look.column, look.turned) == ("", False)
    look.sort_by("memory")  # no run is sorted by that
    assert look.column == ""
    seen = []
    for _ in range(4):
        look.next_column(["run", "link", "loss", "data"])
        seen.append(look.column)
    assert seen == ["run", "loss", "data", ""]


def row_of(key: RunKey) -> str:
    return "/".join(key)


def shown(store: Store, look: FleetLook, cursor: RowCursor) -> dict[str, RunKey]:
    """What the table shows; the cursor is told."""
    groups = look.groups(store, WALL)
    keys = {row_of(key): key for group in groups for key in group.keys}
    cursor.take([row for group in groups for row in (f"host {group.host}", *map(row_of, group.keys))])
    return keys


IDS = [f"run{n}-aaaaa{n}" for n in range(8)]
STATES = ("running", "failed", "stopped", "succeeded", "queued")
EVENTS = st.tuples(
    st.just("event"),
    st.sampled_from(HOSTS),
    st.sampled_from(IDS),
    st.sampled_from(STATES),
    st.integers(0, 40),
)
GONE = st.tuples(st.just("gone"), st.sampled_from(HOSTS), st.sets(st.sampled_from(IDS)))
SORTS = st.tuples(st.just("sort"), st.sampled_from(sorted(BY)))
FILTERS = st.tuples(
    st.just("filter"),
    st.sampled_from(["", "", "run1", "!run2", "state:live", "!state:failed", "host:box", "none"]),
)
FOLDS = st.tuples(st.just("fold"), st.sampled_from(HOSTS))
SEEN = st.tuples(st.just("seen"))
MOVES = st.tuples(st.just("move"), st.integers(0, 20))
MARKS = st.tuples(st.just("mark"))
ALL = st.tuples(st.just("all"))


@settings(max_examples=trials(40, 600), deadline=None)
@given(
    st.lists(
        st.one_of(EVENTS, EVENTS, GONE, SORTS, FILTERS, FOLDS, SEEN, MOVES, MARKS, MOVES, ALL),
        min_size=15,
        max_size=40,
    )
)
def test_no_key_acts_on_another_row_than_the_one_that_was_pointed_at(steps: list[tuple[object, ...]]) -> None:
    """A model beside it remembers what the operator pointed at last, and what was marked by hand."""
    store, look, cursor = fleet(), FleetLook(), RowCursor()
    keys, pointed, marks = shown(store, look, cursor), cursor.chosen, set[RunKey]()
    for seq, (what, *more) in enumerate(steps, 10):
        if what == "event":
            host, run_id, state, since = more
            change = view(str(run_id), state=str(state), seq=seq, since=WALL - float(str(since)))
            store.apply(str(host), RunChanged(change), START, WALL)
        elif what == "gone":
            host, left = str(more[0]), more[1]
            kept: list[RunView] = [
                replace(run.view, seq=seq)
                for key, run in store.runs.items()
                if key[0] == host and key[1] not in left  # type: ignore[operator]
            ]
            store.apply(host, RunsSeen(tuple(kept), WALL), START, WALL)
        elif what == "sort":
            look.sort_by(str(more[0]))
        elif what == "filter":
            look.query = RunQuery.of(str(more[0]))
        elif what == "fold":
            look.unfolded ^= {str(more[0])}
        elif what == "seen":
            store.acknowledge()
        elif what == "move" and cursor.rows:
            cursor.go(int(str(more[0])))
            pointed = cursor.chosen
        elif what == "mark" and (key := keys.get(cursor.chosen or "")) is not None:
            look.mark(key)
            marks ^= {key}
        elif what == "all":
            wanted = set(keys.values())
            look.mark_all(wanted)
            marks = marks - wanted if wanted <= marks else marks | wanted
        keys = shown(store, look, cursor)
        marks = {key for key in marks if key in store.runs}
        pointed = pointed if pointed in cursor.rows else None
        assert (cursor.chosen, keys.get(cursor.chosen or "")) == (pointed, keys.get(pointed or ""))
        targets = look.targets(keys.get(cursor.chosen or ""))
        expected = marks or ({keys[pointed]} if pointed in keys else set())
        assert set(targets) == expected
        assert all(target in store.runs for target in targets)
