"""The rules in the store: what a run says now is news, what it said long ago is history."""

import random

import pytest

from remote.protocol.results import HostLoad
from remote.session.link.link_state import LinkState
from remote.session.updates import Bytes, LinkChanged, RunChanged, RunsSeen, Telemetry, Update
from tests.tui.fake import START, WALL, view
from tui.screens.dialogs.alert_list import page
from tui.store.store import Store

KEY = ("local", "demo-aaaaaa")
UP = LinkState("connected", 0.002, START, 0)


@pytest.fixture
def store() -> Store:
    made = Store(["local"])
    tell(made, LinkChanged(UP), RunsSeen((view(kind="command", max_steps=0),), WALL))
    return made


def tell(store: Store, *updates: Update, at: float = 0.0) -> None:
    for update in updates:
        store.apply("local", update, START + at, WALL + at)


def rows(*losses: float, begin: int = 1, at: float = 0.0, gen: int = 1) -> Bytes:
    """Rows of a log that came at one time."""
    text = "".join(f"step={step} loss={loss:.4f}\n" for step, loss in enumerate(losses, begin))
    return Bytes(1, KEY[1], "log", gen, 10_000 * begin, text.encode(), "001.log", WALL + at)


def calm(count: int) -> list[float]:
    rng = random.Random(count)
    return [2.0 + rng.gauss(0.0, 0.02) for _ in range(count)]


def news(store: Store, at: float) -> list[str]:
    return [alert.text for alert in store.take_news(START + at)]


def test_a_spike_is_news_while_the_run_lives(store: Store) -> None:
    tell(store, rows(*calm(60)))
    tell(store, rows(9.0, *calm(3), begin=61, at=5.0), at=5.0)
    (text,) = news(store, 5.0)
    assert text.startswith("demo: loss jumped to 9 from about 2.0")
    assert "demo-aaaaaa on local" in page(store, START + 5, WALL + 5).plain


def test_what_happened_long_ago_is_history_but_for_numbers_that_are_none(store: Store) -> None:
    tell(store, rows(*calm(60), 9.0, float("nan")), at=7200.0)
    assert [text for text in news(store, 7200.0) if "no row" not in text] == [
        "demo: loss not finite at step 62"
    ]


def test_a_run_that_is_over_tells_nothing_of_its_curves(store: Store) -> None:
    tell(store, RunChanged(view(kind="command", seq=9, state="succeeded")))
    tell(store, rows(*calm(60), 9.0))
    assert news(store, 1.0) == ["demo finished"]


def test_standing_still_is_told_once_by_the_runs_own_pace_and_again_after_it_went_on(store: Store) -> None:
    for step in range(1, 30):
        tell(store, rows(2.0, begin=step, at=0.5 * step), at=0.5 * step)
        assert news(store, 0.5 * step) == []
    last = 14.5
    assert news(store, last + 4.9) == []
    assert len(news(store, last + 5.1)) == 1
    assert news(store, last + 500.0) == []
    tell(store, rows(2.0, begin=30, at=600.0), at=600.0)
    assert news(store, 600.0) == []
    assert len(news(store, 600.0 + 2000.0)) == 1
    tell(store, LinkChanged(LinkState("lost", None, START + 3000, 1, "no pong")), at=3000.0)
    store.take_news()
    assert news(store, 9000.0) == []  # nobody knows


def test_a_full_machine_is_told_once(store: Store) -> None:
    full = HostLoad(mem_used=99.0, mem_total=100.0, disk_free=1e8)
    for at in range(5):
        tell(store, Telemetry(full), at=float(at))
    assert news(store, 5.0) == ["local: memory is 99 % full", "local: 0.1 GB free on its disk"]


def test_a_run_that_is_forgotten_is_watched_no_longer(store: Store) -> None:
    tell(store, rows(*calm(5)))
    tell(store, RunsSeen((), WALL))
    assert news(store, 9000.0) == []


def test_what_failed_since_this_client_looked_last_is_told_when_the_host_is_heard() -> None:
    made = Store(["local", "new"])
    made.watch.looked = {"local": WALL - 100}
    views = (
        view("old-aaaaaa", state="failed", since=WALL - 200),
        view("bad-aaaaaa", state="failed", since=WALL - 50, reason="exit code 1"),
        view("fine-aaaaa", state="succeeded", since=WALL - 50),
    )
    assert made.take_news(START) == []
    for host in ("local", "new"):
        made.apply(host, RunsSeen(views, WALL), START, WALL)
    (alert,) = made.take_news(START)
    assert (alert.host, alert.text) == ("local", "demo failed: exit code 1 (since you looked last)")
    made.apply("local", RunsSeen(views, WALL), START + 5, WALL + 5)
    assert made.take_news(START + 5) == []


def test_what_a_run_left_behind_is_told_once_a_second_look_has_found_it_too(store: Store) -> None:
    over = (view(state="failed"),)
    left = {KEY[1]: ["pid 77 (python)"], "gone-aaaaa": ["pid 78"]}
    first, again = RunsSeen(over, WALL, left=left), RunsSeen(over, WALL, left=dict(left))
    tell(store, first, first)  # the session tells the same look twice
    assert "orphan" not in [alert.rule for alert in store.take_news(START)]
    tell(store, again, RunsSeen(over, WALL, left=dict(left)), at=30.0)
    (alert,) = store.take_news(START + 30.0)
    assert (alert.rule, alert.level, alert.run_id) == ("orphan", "warning", KEY[1])
    assert alert.text == "demo: left behind and still alive: pid 77 (python)"
