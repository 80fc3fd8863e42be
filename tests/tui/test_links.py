"""The words of a link, and what the screens show while a host is away: unknown, stale, never dead."""

from typing import Any

import pytest

from remote.hosts.host import Host
from remote.protocol.errors import Question
from remote.protocol.results import HostLoad
from remote.protocol.values import read_as
from remote.session.link.link_state import LinkState, Phase
from remote.session.updates import HostSeen, LinkChanged, RunChanged, RunsSeen, Telemetry
from tests.tui.fake import HELLO, START, WALL, view
from tui.store.facts import link_fact, run_age_fact, state_fact, why_not
from tui.store.fleet.fleet_look import FleetLook
from tui.store.fleet.run_order import FOLD
from tui.store.store import Store
from tui.widgets.fleet.fleet_fit import TIERS, Fit
from tui.widgets.fleet.fleet_rows import rows

KEY = Question("host_key", "box", "box:22", "ssh-ed25519", "SHA256:abc")
PASSPHRASE = Question("passphrase", "box", "/keys/id_ed25519")
PROXY = Question("proxy_command", "box", "nc box 22", "", "ab" * 32)


def told(*links: tuple[float, LinkState]) -> Store:
    """A store whose one host went through these states of its link, at so many seconds."""
    store = Store([Host("box", "box")])
    for at, link in links:
        store.apply("box", LinkChanged(link), START + at, WALL + at)
    return store


def words(store: Store, at: float) -> str:
    return link_fact(store.hosts["box"], START + at).text


def up(at: float = 0.0, rtt: float = 0.023) -> tuple[float, LinkState]:
    return at, LinkState("connected", rtt, START + at, 0)


@pytest.mark.parametrize(
    ("phase", "facts", "said"),
    [
        ("connecting", {"stage": "dns"}, "◌ connecting dns"),
        ("connecting", {"stage": "tcp via jump"}, "◌ connecting tcp via jump"),
        ("connecting", {"stage": "auth"}, "◌ connecting auth"),
        ("connected", {"rtt_s": 0.023}, "● connected 23 ms"),
        ("lagging", {"rtt_s": 1.4, "since": START}, "◑ lagging 1.4 s"),
        ("lagging", {"rtt_s": 0.02, "since": START - 2}, "◑ lagging 5.0 s"),
        ("lost", {"since": START - 41}, "○ lost 00:41"),
        ("lost", {"since": START - 4000}, "○ lost 1:06:40"),
        ("retrying", {"attempt": 3, "retry_in_s": 1.0}, "↻ retry 3 in 1 s"),
        ("retrying", {"attempt": 1, "retry_in_s": 0.2}, "↻ retry 1 in 0.2 s"),
        ("needs_passphrase", {"question": PASSPHRASE}, "! needs passphrase"),
        ("key_unknown", {"question": KEY}, "! host key unknown"),
        ("key_changed", {"reason": "both"}, "✖ host key changed"),
        ("refused", {"reason": "no"}, "✖ refused no"),
        ("refused", {"reason": "no", "question": PROXY}, "! proxy to confirm"),
    ],
)
def test_every_state_of_a_link_has_its_words(phase: Phase, facts: dict[str, Any], said: str) -> None:
    assert words(told((0, LinkState(phase, **facts))), 0) == said


def test_a_retry_counts_down_and_says_for_how_long_the_host_has_been_away() -> None:
    lost = LinkState("lost", None, START + 10, 1, "no pong")
    store = told(up(), (10, lost), (10, LinkState("retrying", None, START + 10, 9, "no pong", 15.0)))
    assert words(store, 14) == "↻ retry 9 in 11 s lost 00:04"
    assert words(store, 99) == "↻ retry 9 in 0.0 s lost 01:29"
    store.apply("box", LinkChanged(LinkState("connecting", since=START + 25, stage="tcp")), START + 25, WALL)
    assert words(store, 30) == "◌ connecting tcp lost 00:20"
    store.apply("box", LinkChanged(up(31)[1]), START + 31, WALL)
    assert words(store, 40) == "● connected 23 ms"


def test_the_runs_of_a_host_that_is_away_are_a_stale_view_and_unknown() -> None:
    store = told(up())
    store.apply("box", RunsSeen((view(), view("over-bbbbbb", state="failed")), WALL), START, WALL)
    host, live = store.hosts["box"], store.runs["box", "demo-aaaaaa"]
    assert run_age_fact(live, host, START + 41).text == "41 s ago"
    store.apply("box", LinkChanged(LinkState("lost", None, START + 1, 1, "no pong")), START + 10, WALL)
    assert run_age_fact(live, host, START + 41).text == "stale view 41 s"
    assert (state_fact(live, host).word, state_fact(live, host).detail) == ("unknown", "was running")
    assert state_fact(store.runs["box", "over-bbbbbb"], host).word == "failed"


def test_what_is_not_known_of_a_machine_is_n_a_and_so_is_what_may_have_changed() -> None:
    store = told(up())
    cells = rows(store, START, WALL, Fit.of(200), FleetLook())[0]["host box"]
    assert [cells[name].plain for name in ("load", "memory", "power")] == ["n/a"] * 3
    gpu = {"util_percent": 87, "mem_used": 61e9, "mem_total": 80e9, "power_w": 412.4}
    load = read_as(HostLoad, {"cpu_percent": 0.0, "gpus": [gpu, {**gpu, "power_w": None}]})
    store.apply("box", Telemetry(load), START, WALL)
    cells = rows(store, START, WALL, Fit.of(200), FleetLook())[0]["host box"]
    assert [cells[name].plain for name in ("load", "memory", "power")] == [
        "2gpu 87 %",
        "122 GB 76 %",
        "412 W",
    ]
    store.apply("box", LinkChanged(LinkState("lost", None, START, 1, "no pong")), START, WALL)
    cells = rows(store, START, WALL, Fit.of(200), FleetLook())[0]["host box"]
    assert [cells[name].plain for name in ("load", "memory", "power")] == ["n/a"] * 3


@pytest.mark.parametrize("width", [200, 160, 130, 100, 80, 60])
def test_ten_hosts_with_long_names_fit_every_width(width: int) -> None:
    names = ["local", *(f"rented-gpu-{number:02d}.somewhere-far-away.example" for number in range(9))]
    store = Store(names)
    for number, name in enumerate(names):
        store.apply(name, LinkChanged(up(rtt=0.01 * number)[1]), START, WALL)
        store.apply(name, HostSeen(HELLO), START, WALL)
        listed = tuple(view(f"a-very-long-name-of-a-run-{n}-{'x' * 40}-aaaa{n}") for n in range(5))
        store.apply(name, RunsSeen(listed, WALL), START, WALL)
    store.apply(names[3], LinkChanged(LinkState("key_changed", reason="x" * 300)), START, WALL)
    fit = Fit.of(width)
    shown, keys = rows(store, START + 41, WALL + 41, fit, FleetLook())
    assert len(shown) == 60
    assert len(keys) == 50
    wide = {name: columns for name, _, columns in fit.columns}
    assert sum(wide.values()) + 2 * len(wide) + 1 <= max(width, 60)
    for cells in shown.values():
        for name in ("run", "state", "step", "R", "data"):
            if name in cells and name in wide:
                assert cells[name].cell_len <= wide[name], (name, cells[name].plain)
    assert shown[f"{names[1]}/{listed[3].run_id}"]["run"].plain.endswith("-aaaa3")
    assert sorted(TIERS, reverse=True) == list(TIERS)


def test_with_several_hosts_old_runs_fold_and_one_that_has_just_ended_stays() -> None:
    store = Store(["local", "box"])
    listed = tuple(view(f"old{n:02d}-aaaaaa", state="stopped", since=WALL - 100 * n) for n in range(20))
    store.apply("box", RunsSeen((view(), *listed), WALL), START, WALL)
    shown, keys = rows(store, START, WALL, Fit.of(160), FleetLook())
    assert len(keys) == 1 + FOLD
    assert shown["more box"]["run"].plain.strip() == "… 14 more are over"
    store.apply("box", RunChanged(view(seq=9, state="failed", since=WALL + 5)), START, WALL)
    assert "box/demo-aaaaaa" in rows(store, START, WALL, Fit.of(160), FleetLook())[1]
    assert len(rows(store, START, WALL, Fit.of(160), FleetLook({"box"}))[1]) == 21


def test_what_a_host_left_out_is_counted_and_not_promised_to_the_key() -> None:
    store = Store(["local", "box"])
    listed = tuple(view(f"old{n:02d}-aaaaaa", state="stopped", since=WALL - 100 * n) for n in range(20))
    store.apply("box", RunsSeen((view(), *listed), WALL, left_out=4000), START, WALL)
    folded = rows(store, START, WALL, Fit.of(160), FleetLook())[0]["more box"]["run"].plain.strip()
    assert folded == "… 4,014 more are over"
    unfolded = rows(store, START, WALL, Fit.of(160), FleetLook({"box"}))[0]["more box"]["run"].plain.strip()
    assert unfolded == "… 4,000 more are over: photinus ls --all"
    store.apply("box", RunsSeen((view(), *listed), WALL), START, WALL)
    assert "more box" not in rows(store, START, WALL, Fit.of(160), FleetLook({"box"}))[0]


def test_why_not_names_the_key_that_helps() -> None:
    assert "Press ! to answer" in why_not(told((0, LinkState("key_unknown", question=KEY))).hosts["box"])
    assert "press !" in why_not(told((0, LinkState("key_changed", reason="x"))).hosts["box"])
    assert "8 tests it" in why_not(told((0, LinkState("refused", reason="x"))).hosts["box"])
    assert "Press R" in why_not(told((0, LinkState("lost", reason="x"))).hosts["box"])
    assert why_not(told(up()).hosts["box"]) == ""


def test_a_question_is_told_once_and_a_changed_key_as_an_error() -> None:
    store = told((0, LinkState("connecting")), *[(n, LinkState("key_unknown", question=KEY)) for n in (1, 2)])
    assert [alert.text for alert in store.take_news()] == ["box: host key unknown. Press ! to answer"]
    store.apply("box", LinkChanged(LinkState("connecting")), START, WALL)
    store.apply("box", LinkChanged(LinkState("key_changed", reason="both")), START, WALL)
    (alert,) = store.take_news()
    assert (alert.level, "key changed" in alert.text) == ("error", True)
