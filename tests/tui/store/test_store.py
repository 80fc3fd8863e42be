"""The store alone: updates in, one picture out."""

from dataclasses import replace

import pytest

from remote.protocol.results import HostLoad
from remote.protocol.values import BEGINNING
from remote.protocol.views import RunView
from remote.session.link.link_state import LinkState
from remote.session.updates import (
    Bytes,
    Gap,
    LinkChanged,
    Recovered,
    RunChanged,
    RunsSeen,
    Telemetry,
    Truncated,
    Update,
)
from tests.tui.fake import START, WALL, events, view
from trainer.telemetry.bands import Bands
from tui.store.facts import age_fact, link_fact, run_age_fact, state_fact, why_not
from tui.store.hosts import TROUBLES_MAX
from tui.store.lamps import lamps
from tui.store.runs import RunRecord
from tui.store.store import TRUNCATED, Store
from tui.store.wanted import GLIMPSE, GLIMPSES, TAIL, WHOLE, Followers, wanted

KEY = ("local", "demo-aaaaaa")
UP = LinkState("connected", 0.002, START, 0)
LOST = LinkState("lost", None, START + 5, 1, "no pong for 9 s")


@pytest.fixture
def store(bands: Bands) -> Store:
    made = Store(["local"], bands)
    tell(made, LinkChanged(UP), RunsSeen((view(),), WALL))
    return made


def tell(store: Store, *updates: Update, at: float = 0.0) -> None:
    for update in updates:
        store.apply("local", update, START + at, WALL + at)


def said(text: str, *, what: str = "events", gen: int = 1, offset: int = 0) -> Bytes:
    return Bytes(1, KEY[1], what, gen, offset, text.encode(), "002.log")


def words(store: Store, at: float = 0.0) -> dict[str, str]:
    run = store.runs[KEY]
    assert store.bands is not None
    return {lamp.metric: lamp.word for lamp in lamps(run, store.hosts["local"], store.bands, START + at)}


def test_events_become_series_rows_floors_and_scores(store: Store) -> None:
    tell(store, said(events(range(0, 301, 5))))
    run = store.runs[KEY]
    assert (run.step, run.max_steps, len(run.series["ce"])) == (300, 3000, 61)
    assert run.floors is not None
    assert run.evaluation is not None
    assert list(run.series["val_ce"].steps) == [100, 200, 300]
    assert run.step_s == 0.134
    assert run.unsaved_steps == 100


def test_a_resume_supersedes_later_rows_of_every_series(store: Store) -> None:
    tell(store, said(events(range(0, 101, 5))))
    tell(store, said('{"type":"resume","seq":999,"attempt":2,"t":1.0,"step":50}\n', offset=1))
    run = store.runs[KEY]
    assert {series.steps[-1] for name, series in run.series.items() if not name.startswith("val")} == {50}
    assert run.step == 50
    assert len(run.series["val_ce"]) == 0


def test_an_older_word_of_the_host_changes_nothing(store: Store) -> None:
    tell(store, RunChanged(view(seq=9, state="stopped")), RunChanged(view(seq=4, state="running")))
    assert store.runs[KEY].view.state == "stopped"


def test_a_run_that_its_host_no_longer_lists_is_forgotten(store: Store) -> None:
    tell(store, RunsSeen((), WALL))
    assert not store.runs


def test_a_lost_link_makes_a_live_run_unknown_and_never_dead(store: Store) -> None:
    tell(store, LinkChanged(LOST), at=6)
    run, host = store.runs[KEY], store.hosts["local"]
    assert run.view.state == "running"  # what was said last stays what was said last
    assert (state_fact(run, host).word, state_fact(run, host).detail) == ("unknown", "was running")
    assert link_fact(host, START + 10).word == "lost"
    assert age_fact(run.received_at, START + 10).word == "10 s ago"
    assert "not reachable" in why_not(host)


def test_a_run_that_is_over_stays_so_while_its_host_is_away(store: Store) -> None:
    tell(store, RunChanged(view(seq=9, state="succeeded")), LinkChanged(LOST))
    assert state_fact(store.runs[KEY], store.hosts["local"]).word == "succeeded"


def test_data_age_grows_while_the_link_is_well(store: Store) -> None:
    tell(store, Telemetry(HostLoad(cpu_percent=3.0)), at=50)
    assert age_fact(store.runs[KEY].received_at, START + 50).word == "50 s ago"
    assert age_fact(store.hosts["local"].received_at, START + 50).word == "now"
    tell(store, said(events(range(1))), at=51)
    assert age_fact(store.runs[KEY].received_at, START + 51).word == "now"


def test_lamps_are_lit_by_the_first_row(store: Store) -> None:
    assert set(words(store).values()) == {"n/a"}
    tell(store, said(events(range(1))))
    lit = words(store)
    assert lit["u_val"] == "healthy"
    assert lit["R"] == "Intimacy"
    assert lit["ce"] == "above unigram"
    assert lit["idle_s"] == "stepping"
    assert lit["memory_used"] == "n/a"


def test_a_run_that_stops_stepping_stalls_and_an_ended_one_does_not(store: Store) -> None:
    tell(store, said(events(range(1))))
    age = 60 - 3 / 8  # the row was that old, by its own clock, when it was heard
    assert words(store, at=179 - age)["idle_s"] == "stepping"
    assert words(store, at=181 - age)["idle_s"] == "stalled"
    tell(store, RunChanged(view(seq=9, state="stopped")))
    assert words(store, at=181)["idle_s"] == "n/a"


def test_a_run_that_stalled_before_anybody_looked_is_seen_to_have_stalled(store: Store) -> None:
    tell(store, said(events(range(1))), at=7200)
    assert words(store, at=7200)["idle_s"] == "stalled"
    tell(store, RunsSeen((view(),), WALL), at=7200)  # a host whose clock is two hours behind ours
    tell(store, said(events(range(1)), gen=2), at=7200)
    assert words(store, at=7200)["idle_s"] == "stepping"


def test_zones_visited_are_counted_in_the_lamp(store: Store) -> None:
    tell(store, said(events(range(0, 900, 5))))
    assert store.bands is not None
    found = {lamp.metric: lamp for lamp in lamps(store.runs[KEY], store.hosts["local"], store.bands, START)}
    assert found["R"].why.endswith("2 zones visited")


def test_endings_and_bad_numbers_are_told_once(store: Store) -> None:
    bad = '{"type":"metrics","seq":5,"attempt":1,"t":1.0,"step":%d,"ce":null,"nonfinite":["ce"]}\n'
    tell(store, said(bad % 5 + bad % 10), RunChanged(view(seq=8, state="failed", reason="code 1")))
    texts = [alert.text for alert in store.take_news()]
    assert texts == ["demo: ce not finite at step 5", "demo failed: code 1"]
    assert store.take_news() == []
    assert len(store.alerts) == 2


def test_a_link_that_was_never_up_is_no_news() -> None:
    fresh = Store(["local"])
    tell(fresh, LinkChanged(LinkState("retrying", None, START, 2, "refused")))
    assert fresh.take_news() == []


def test_a_host_that_is_dialled_in_vain_for_a_minute_is_one_alert(store: Store) -> None:
    """Wi-Fi off: the port refuses at once, and each second another dial begins and fails."""
    connecting = LinkState("connecting", None, START, 2)
    for second in range(60):
        tell(store, LinkChanged(replace(LOST, phase="retrying", attempt=second)), LinkChanged(connecting))
    assert [alert.level for alert in store.take_news()] == ["warning"]
    tell(store, LinkChanged(UP, back_after_s=60.0), LinkChanged(LOST))
    assert [alert.level for alert in store.take_news()] == ["information", "warning"]  # and again: news


def test_what_a_lost_host_shows_later_is_news_of_its_own_once_each(store: Store) -> None:
    refused = [LinkState("refused", reason=f"no, for the {n}th time") for n in range(100)]
    changed = LinkState("key_changed", reason="another key")
    for state in (LOST, changed, LinkState("connecting"), changed, *refused, refused[0]):
        tell(store, LinkChanged(state))
    texts = [alert.text for alert in store.take_news()]
    assert "lost" in texts[0]
    assert [("key" in text) for text in texts[1:3]] == [True, False]
    assert len(texts) == TROUBLES_MAX  # a host that finds new words each second is not heard for ever


def test_losing_a_link_and_having_it_back_are_news_and_stand_in_the_log(store: Store) -> None:
    tell(store, said("one\n", what="log"), LinkChanged(LOST), LinkChanged(replace(LOST, phase="retrying")))
    tell(store, LinkChanged(UP, back_after_s=134.0), said("two\n", what="log", offset=4))
    tell(store, Recovered(134.0, 1204, 1))
    assert [alert.level for alert in store.take_news()] == ["warning", "information"]
    log = store.runs[KEY].log
    said_so = "── link back after 2m 14s, 1,204 lines recovered ──"
    assert [log.line(i) for i in range(len(log))] == ["one", "two", said_so]
    tell(store, Recovered(41.0, 0, 0))
    assert log.line(3) == "── link back after 41 s, nothing was missed ──"


def test_a_command_is_read_from_its_log(bands: Bands) -> None:
    made = Store(["local"], bands)
    tell(made, RunsSeen((view(kind="command", max_steps=0),), WALL))
    table = row_of_table(20) + row_of_table(40)
    tell(made, said("hello\n" + table[:30], what="log"), said(table[30:], what="log", offset=36))
    run = made.runs[KEY]
    assert (run.step, run.u_stat, run.log_format) == (40, "mean", "kssm-v3")
    assert words(made)["u_val"] == "healthy"
    assert len(run.log) == 3


def row_of_table(step: int) -> str:
    return f"{step:6d} |   3.562 |   2.915 |  0.6477 | 0.0471 |   1.043 |    1.334\n"


def test_rows_of_a_command_have_the_time_at_which_they_are_heard(bands: Bands) -> None:
    """The backlog has none; what comes later has its own, so that pace and age follow it."""
    made = Store(["local"], bands)
    tell(made, RunsSeen((view(kind="command", max_steps=0),), WALL))
    tell(made, said("".join(map(row_of_table, range(20, 400, 20))), what="log"))
    run = made.runs[KEY]
    assert (run.step, run.step_s) == (380, None)
    for n in range(1, 120):
        tell(made, said(row_of_table(380 + 20 * n), what="log"), at=2.0 * n)
    assert run.step_s == pytest.approx(0.1)
    assert run.row_at == START + 238.0
    assert "stalled" not in words(made, at=239.0).values()


def test_the_first_row_of_the_next_attempt_is_not_glued_to_a_line_that_was_cut(bands: Bands) -> None:
    made = Store(["local"], bands)
    tell(made, RunsSeen((view(kind="command", max_steps=0),), WALL))
    rows = [row_of_table(step) for step in (20, 40, 60, 30, 50)]
    tell(made, said("".join(rows[:2]) + rows[2][:25], what="log"))
    tell(made, said("".join(rows[3:]), what="log", gen=2))
    assert list(made.runs[KEY].series_of("ce").steps) == [20, 30, 50]


def test_lines_of_somebody_elses_log_say_nothing_of_the_run(bands: Bands) -> None:
    """Neither a failure nor a step: those of a log count once its format is known, and never a failure."""
    made = Store(["local"], bands)
    tell(made, RunsSeen((view(kind="command", max_steps=0),), WALL))
    told = "Error: no cached weights, downloading them instead\nTraining Finished.\n[2] Model\n"
    tell(made, said(told + "Checkpoint saved: out/llama_v2.pt\n500/2,000 chunks\n", what="log"))
    run = made.runs[KEY]
    assert (run.phase, run.step, run.checkpoint, list(run.notes)) == (None, None, None, [])
    tell(
        made,
        said(
            "iter 10: loss 2.5, time 3.00ms, mfu 1.00%\niter 20: loss 2.4, time 3.00ms, mfu 1.00%\n" + told,
            what="log",
        ),
    )
    assert (run.step, run.log_format, run.phase) == (20, "nanoGPT", None)


def test_a_total_that_a_log_tells_gives_what_is_left(bands: Bands) -> None:
    made = Store(["local"], bands)
    tell(made, RunsSeen((view(kind="command", max_steps=0),), WALL))
    row = "step:{}/100 train_loss:2.5 train_time:900ms step_avg:500.00ms\n"
    tell(made, said(row.format(10) + row.format(20), what="log"))
    run = made.runs[KEY]
    assert run.max_steps == 100
    assert run.eta_s == pytest.approx(40.0)


def row(step: int) -> str:
    return f"    {step} |   3.562 |   2.915 |  0.6477 | 0.0471 |   1.043 |    1.334\n"


@pytest.fixture
def command(bands: Bands) -> Store:
    made = Store(["local"], bands)
    tell(made, LinkChanged(UP), RunsSeen((view(kind="command", max_steps=100, since=WALL),), WALL))
    return made


def pieces(store: Store, *times_and_rows: tuple[float, str], at_host: bool) -> None:
    """A log that grows: at such a time, such rows; the host says when its file was written, or does not."""
    offset = 0
    for seconds, rows in times_and_rows:
        piece = said(rows, what="log", offset=offset)
        offset += len(rows)
        tell(store, replace(piece, at=WALL + seconds) if at_host else piece, at=seconds)


@pytest.mark.parametrize("at_host", [True, False])
def test_the_rows_of_a_command_have_the_time_at_which_they_came(command: Store, at_host: bool) -> None:
    steps = [(float(10 * n), row(n)) for n in range(1, 31)]
    pieces(command, *steps, at_host=at_host)
    run = command.runs[KEY]
    assert (run.step_s, run.eta_s) == (10.0, 700.0)
    assert words(command, at=300 + 99)["idle_s"] == "stepping"
    assert words(command, at=300 + 101)["idle_s"] == "stalled"  # and it is told when it truly says nothing


def test_what_was_written_long_ago_is_not_called_new(command: Store) -> None:
    """The cockpit is opened an hour after the last row: as old as its file is, whatever the link did."""
    pieces(command, (60.0, row(1)), (120.0, row(2)), at_host=True)
    late = replace(said(row(3), what="log", offset=2 * len(row(1))), at=WALL + 180)
    tell(command, late, at=3780)
    assert command.runs[KEY].row_at == START + 180
    assert words(command, at=3780)["idle_s"] == "stalled"


HEAD = "  Step |   Total |      CE |     Reg |       R |   u_val | GradNorm\n"


def test_a_host_with_another_clock_makes_no_row_old_or_new(command: Store) -> None:
    ahead = -7200.0
    tell(command, RunsSeen(tuple(run.view for run in command.runs.values()), WALL + ahead))
    pieces(command, (10.0, HEAD + row(1)), at_host=False)
    assert command.runs[KEY].row_at == START + 10
    tell(command, replace(said(row(2), what="log", offset=len(HEAD + row(1))), at=WALL + ahead + 15), at=20)
    assert command.runs[KEY].row_at == START + 15


def test_rows_that_come_in_bursts_tell_their_pace(command: Store) -> None:
    """A program that writes its buffer out every ten minutes is not stalled in between."""
    bursts = [(600.0 * n, "".join(row(40 * n + k) for k in range(40))) for n in range(1, 5)]
    pieces(command, *bursts, at_host=True)
    assert command.runs[KEY].step_s == 15.0
    assert words(command, at=2400 + 900)["idle_s"] == "stepping"
    assert words(command, at=2400 + 5999)["idle_s"] == "stepping"
    assert words(command, at=2400 + 6001)["idle_s"] == "stalled"


def test_before_the_second_row_the_time_to_the_first_is_the_pace(command: Store) -> None:
    pieces(command, (300.0, HEAD + row(1)), at_host=True)
    assert words(command, at=300 + 600)["idle_s"] == "stepping"
    assert words(command, at=300 + 1501)["idle_s"] == "stalled"


def test_the_data_of_a_run_is_as_old_as_what_was_heard_of_its_host(store: Store) -> None:
    """A run that has nothing to say is not stale: its host would tell every change of it at once."""
    tell(store, LinkChanged(replace(UP, rtt_s=0.003)), at=50)
    run, host = store.runs[KEY], store.hosts["local"]
    assert run_age_fact(run, host, START + 51) == age_fact(START + 50, START + 51)
    assert run_age_fact(run, host, START + 51).colour == "green"
    assert run_age_fact(run, host, START + 75).colour == "amber"  # the host itself says nothing
    tell(store, LinkChanged(replace(LOST, since=START + 80)), at=80)
    assert run_age_fact(run, host, START + 110).text == "stale view 1m 00s"


def test_a_part_of_the_runs_makes_no_other_one_forgotten(store: Store) -> None:
    old = view("old-aaaaaa", state="succeeded", created=1.0)
    gone = view("gone-aaaaaa")
    tell(store, RunsSeen((view(), old, gone), WALL))
    tell(store, RunsSeen((view(),), WALL, left_out=4000))
    assert {key[1] for key in store.runs} == {"demo-aaaaaa", "old-aaaaaa"}
    assert store.hosts["local"].left_out == 4000
    tell(store, RunsSeen((), WALL, left_out=4001, has_all_live=False))
    assert ("local", "demo-aaaaaa") in store.runs
    tell(store, RunsSeen((), WALL))
    assert not store.runs


def test_the_log_of_our_own_trainer_gives_no_metrics(store: Store) -> None:
    tell(store, said("    20 |   3.562 |   2.915 |  0.6477 | 0.0471 |   1.043 |    1.334\n", what="log"))
    assert store.runs[KEY].step is None


def test_a_log_that_begins_in_mid_line_drops_the_cut_one(store: Store) -> None:
    tell(store, said("tail of a line\nwhole\n", what="log", offset=1000))
    assert [store.runs[KEY].log.line(0), len(store.runs[KEY].log)] == ["whole", 1]


def test_the_log_of_the_next_attempt_is_set_apart(store: Store) -> None:
    tell(store, said("a\n", what="log"), said("b\n", what="log", gen=2), Truncated(1, KEY[1], 3))
    log = store.runs[KEY].log
    assert [log.line(i) for i in range(len(log))] == ["a", "── 002.log ──", "b", TRUNCATED]


def test_a_gap_is_a_line_of_its_own_with_its_size(store: Store) -> None:
    tell(store, said("a\n", what="log"), Gap(1, KEY[1], BEGINNING, BEGINNING, 3_200_000))
    assert store.runs[KEY].log.line(1) == (
        "── gap: 3.2 MB were skipped to keep up; they are whole on the host ──"
    )


def test_bytes_of_an_unknown_run_are_dropped(store: Store) -> None:
    tell(store, replace(said("x\n", what="log"), run_id="other-bbbbbb"))
    assert list(store.runs) == [KEY]


def test_hostile_texts_are_cleaned(store: Store) -> None:
    tell(store, said('{"type":"sample","seq":1,"attempt":1,"t":1,"step":1,"text":"a\\u001b[2Jb\\u202e"}\n'))
    assert store.runs[KEY].sample_text == "ab"


def test_live_and_opened_runs_are_followed_whole_and_old_ones_glimpsed(bands: Bands) -> None:
    made = Store(["local"], bands)
    old = tuple(view(f"old{n:02d}-aaaaaa", state="stopped", created=WALL - n) for n in range(30))
    tell(made, RunsSeen((view(), view("cmd-aaaaaa", kind="command"), *old), WALL))
    want = wanted(made, None)
    assert want["local", "demo-aaaaaa", "events"] == WHOLE
    assert want["local", "cmd-aaaaaa", "log"] == WHOLE
    assert list(want.values()).count(GLIMPSE) == GLIMPSES
    opened = wanted(made, ("local", "old29-aaaaaa"))
    assert opened["local", "old29-aaaaaa", "events"] == WHOLE
    assert opened["local", "old29-aaaaaa", "log"] == TAIL


class Books:
    """A session's follow and unfollow, written down."""

    def __init__(self) -> None:
        self.keys: list[tuple[str, str, int]] = []
        self.left: list[int] = []

    def follow(
        self, run_id: str, what: str = "log", cursor: None = None, last: int = 0, *, skip: bool = False
    ) -> int:
        assert skip == ((what, last) == ("log", TAIL))
        self.keys.append((run_id, what, last))
        return len(self.keys)

    def unfollow(self, key: int) -> None:
        self.left.append(key)


def test_opening_a_glimpsed_run_reads_it_again_from_its_beginning(bands: Bands) -> None:
    made, books, followers = Store(["local"], bands), Books(), Followers()
    tell(made, RunsSeen((view(state="stopped"),), WALL))
    followers.sync({"local": books}, made, None)
    tell(made, said(events(range(50, 100, 5)), offset=5000))
    assert len(made.runs[KEY].series["ce"]) > 0
    followers.sync({"local": books}, made, KEY)
    assert books.left == [1]
    assert books.keys[1:] == [(KEY[1], "events", WHOLE), (KEY[1], "log", TAIL)]
    assert not made.runs[KEY].series
    late = replace(said(events(range(50, 100, 5))), key=1)
    assert not followers.is_current("local", late)
    assert followers.is_current("local", replace(late, key=2))


def test_leaving_a_run_lets_go_of_its_log_only(bands: Bands) -> None:
    made, books, followers = Store(["local"], bands), Books(), Followers()
    tell(made, RunsSeen((view(),), WALL))
    followers.sync({"local": books}, made, KEY)
    followers.sync({"local": books}, made, None)
    followers.sync({"local": books}, made, None)
    assert [books.keys[key - 1][1] for key in books.left] == ["log"]


def test_eta_and_pace_are_worked_out_where_the_run_does_not_say() -> None:
    run = RunRecord(host="local", view=view(), received_at=START)
    store = Store(["local"])
    store.runs[KEY] = run
    rows = "".join(
        f'{{"type":"metrics","seq":{n},"attempt":1,"t":{WALL + n * 2.0},"step":{n * 10},"ce":2.0}}\n'
        for n in range(1, 6)
    )
    tell(store, said(rows))
    assert run.step_s == 0.2
    assert run.eta_s == pytest.approx((3000 - 50) * 0.2)


def test_what_is_not_known_of_a_run_is_none() -> None:
    run = RunRecord(host="local", view=view(last_checkpoint=None), received_at=START)
    assert (run.step_s, run.eta_s, run.unsaved_steps, run.checkpoint_step) == (None, None, None, None)
    assert isinstance(run.view, RunView)


def test_the_penalty_lamp_judges_what_it_adds_to_the_loss(store: Store) -> None:
    line = '{"type":"metrics","seq":%d,"attempt":1,"t":1.0,"step":%d,"total":%f,"ce":2.0,"reg":0.9}\n'
    tell(store, said(line % (1, 5, 2.009)))
    assert words(store)["reg"] == "small"
    tell(store, said(line % (2, 10, 2.9), offset=99))
    assert words(store)["reg"] == "notable"


def test_a_checkpoint_between_two_rows_moves_the_step_on(store: Store) -> None:
    tell(store, said(events(range(1))))
    saved = '"step":4,"path":"p","sha256":"s","kind":"interrupt"}\n'
    tell(store, said('{"type":"checkpoint","seq":9,"attempt":1,"t":1,' + saved, offset=99))
    assert store.runs[KEY].step == 4


def test_numbers_beyond_every_float_are_not_finite_and_break_nothing(store: Store) -> None:
    huge = "9" * 400
    row = '{"type":"metrics","seq":1,"attempt":1,"t":1.0,"step":5,"ce":%s,"R":%s,"step_ms":1}\n'
    tell(store, said(row % (huge, huge)), said(f"{huge} | 1.0 | 2.0 | 3.0 | 4.0 | 5.0 | 6.0\n", what="log"))
    assert words(store)["ce"] == "not finite"
    assert list(store.runs[KEY].series["R"].gaps) == [5]
