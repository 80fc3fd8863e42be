"""Each notice arrives once: at a server that fails, stalls, drips or answers 429; over a restart."""

import threading
from datetime import datetime
from pathlib import Path

import pytest

from tests.tui.notices.receiver import Receiver
from tests.waiting import wait_until
from tui.notices.channel_bodies import posting
from tui.notices.delivery import Trial
from tui.notices.http_post import post
from tui.notices.local_command import call_command
from tui.notices.notice import Notice, notice, read_notice, traced
from tui.notices.notice_channel import NoticeChannel
from tui.notices.notice_journal import NoticeJournal
from tui.notices.notice_sender import NoticeSender
from tui.notices.notices_file import NoticeSettings
from tui.notices.quiet_hours import QuietHours

WALL = datetime(2026, 3, 14, 12, 0).timestamp()


def told(occasion: str = "attempt 1 failed", level: str = "error", text: str = "demo failed") -> Notice:
    return notice("gpu", "host-1", "demo-aaaaaa", "ended", occasion, level, text, WALL)  # type: ignore[arg-type]


def to(receiver: Receiver, *names: str, **more: object) -> NoticeSettings:
    channels = [NoticeChannel(name, "webhook", url=receiver.url(name), **more) for name in names]  # type: ignore[arg-type]
    return NoticeSettings(tuple(channels))


def quickly(channel: NoticeChannel, one: Notice) -> Trial:
    return post(channel.url, posting(channel, one), silent_s=0.3, whole_s=0.5)


def settle(sender: NoticeSender, wall: float) -> None:
    sender.pump(wall)
    wait_until(lambda: not (sender.pump(wall, begin=False), sender.is_busy)[1], what="the tries")


@pytest.fixture
def journal(root: Path) -> NoticeJournal:
    return NoticeJournal()


def test_each_arrives_once_at_a_server_that_fails_stalls_drips_and_answers_429(
    receiver: Receiver, journal: NoticeJournal
) -> None:
    receiver.answers["fail"].extend([500, 503])
    receiver.answers["busy"].append("429 50")
    receiver.answers["stall"].append("stall")
    receiver.answers["drip"].append("drip")
    names = ("well", "fail", "busy", "stall", "drip")
    sender = NoticeSender(to(receiver, *names), journal, quickly)
    one = told()
    assert sender.add([one, one]) == [one]
    assert sender.add([one]) == []
    settle(sender, WALL)
    assert receiver.keys("well") == [one.key]
    for name in names[1:]:
        assert receiver.keys(name) == [], name
    settle(sender, WALL + 1.1)
    settle(sender, WALL + 4)
    for name in ("fail", "stall", "drip"):
        assert receiver.keys(name) == [one.key], name
    settle(sender, WALL + 49)
    assert receiver.keys("busy") == []
    settle(sender, WALL + 51)
    for later in (1e3, 1e4, 1e5):
        settle(sender, WALL + later)
    assert {name: receiver.keys(name) for name in names} == {name: [one.key] for name in names}


def test_429_holds_the_channel_and_no_other(receiver: Receiver, journal: NoticeJournal) -> None:
    receiver.answers["busy"].append("429 60")
    sender = NoticeSender(to(receiver, "busy", "well"), journal, quickly)
    sender.add([told()])
    settle(sender, WALL)
    sender.add([told("attempt 2 failed")])
    settle(sender, WALL + 30)
    assert (len(receiver.keys("busy")), len(receiver.keys("well"))) == (0, 2)
    settle(sender, WALL + 61)
    assert len(set(receiver.keys("busy"))) == len(receiver.keys("busy")) == 2


def test_a_server_that_stalls_holds_neither_other_notices_nor_whoever_pumps(
    receiver: Receiver, journal: NoticeJournal
) -> None:
    receiver.answers["slow"].append("stall")
    sender = NoticeSender(to(receiver, "slow", "well"), journal)  # with the real limits, seconds away
    sender.add([told()])
    sender.pump(WALL)
    sender.add([told("attempt 2 failed")])
    sender.pump(WALL)
    wait_until(lambda: len(receiver.keys("well")) == 2 and len(receiver.keys("slow")) == 1)
    assert sender.is_busy


def test_four_tries_of_a_channel_are_on_their_way_at_a_time(
    journal: NoticeJournal, receiver: Receiver
) -> None:
    go, begun = threading.Event(), []

    def slow(channel: NoticeChannel, one: Notice) -> Trial:
        begun.append(one.key)
        return Trial(go.wait(60.0), "done")

    sender = NoticeSender(to(receiver, "slow"), journal, slow)
    sender.add([told(f"{number}") for number in range(9)])
    sender.pump(WALL)
    wait_until(lambda: len(begun) == 4)
    sender.pump(WALL)
    assert len(begun) == 4
    go.set()
    wait_until(lambda: (sender.pump(WALL), len(begun) == 9)[1])
    sender.finish(10.0)
    assert len(set(begun)) == 9


def test_what_never_arrives_is_given_up_after_a_day_and_a_command_after_five_tries(
    journal: NoticeJournal, receiver: Receiver
) -> None:
    channels = (*to(receiver, "dead").channels, NoticeChannel("bell", "command", command=("false",)))
    sender = NoticeSender(NoticeSettings(channels), journal, lambda *_: Trial(False, "no"))
    sender.add([told()])
    ways = journal.entries[told().key].deliveries
    for number in range(6):
        settle(sender, WALL + 100 * number)
    assert (ways["bell"].progress, ways["bell"].tries) == ("given_up", 5)
    assert [name for _, name, _ in journal.waiting()] == ["dead"]
    settle(sender, WALL + 24 * 3600)
    assert [name for _, name, _ in journal.waiting()] == []


def test_a_refusal_is_given_up_at_once_and_a_redirect_is_not_followed(
    receiver: Receiver, journal: NoticeJournal
) -> None:
    receiver.answers["gone"].append(404)
    receiver.answers["moved"].append(302)
    sender = NoticeSender(to(receiver, "gone", "moved"), journal, quickly)
    sender.add([told()])
    settle(sender, WALL)
    settle(sender, WALL + 5000)
    ways = journal.entries[told().key].deliveries
    assert {name: (way.progress, way.said[:3]) for name, way in ways.items()} == {
        "gone": ("given_up", "404"), "moved": ("given_up", "302"),
    }  # fmt: skip
    assert sorted(path for path, *_ in receiver.heard) == ["gone", "moved"]


def test_a_restart_goes_on_with_what_waits_and_sends_nothing_twice(receiver: Receiver, root: Path) -> None:
    receiver.answers["fail"].append(500)
    settings = to(receiver, "well", "fail")
    sender = NoticeSender(settings, NoticeJournal(), quickly)
    sender.add([told()])
    settle(sender, WALL)
    again = NoticeSender(settings, NoticeJournal(), quickly)
    assert again.add([told()]) == []
    settle(again, WALL + 2)
    assert (len(receiver.keys("well")), len(receiver.keys("fail"))) == (1, 1)


def test_what_was_taken_and_not_recorded_goes_again_under_the_same_key(
    receiver: Receiver, root: Path
) -> None:
    sender = NoticeSender(to(receiver, "well"), NoticeJournal(), quickly)
    sender.add([told()])
    sender.pump(WALL)
    wait_until(lambda: receiver.keys("well"))  # and here the process dies: nothing is noted
    settle(NoticeSender(to(receiver, "well"), NoticeJournal(), quickly), WALL + 1)
    assert receiver.keys("well") == [told().key] * 2


def test_who_leaves_waits_for_what_is_on_its_way_so_that_it_is_never_sent_again(
    receiver: Receiver, root: Path
) -> None:
    sender = NoticeSender(to(receiver, "well"), NoticeJournal(), quickly)
    sender.add([told()])
    sender.pump(WALL)
    sender.finish(10.0)
    settle(NoticeSender(to(receiver, "well"), NoticeJournal(), quickly), WALL + 1)
    assert receiver.keys("well") == [told().key]


def test_quiet_hours_hold_what_is_not_grave_and_lose_nothing(
    receiver: Receiver, journal: NoticeJournal
) -> None:
    quiet = QuietHours(12 * 60, 13 * 60, "error")
    sender = NoticeSender(NoticeSettings(to(receiver, "well").channels, quiet), journal, quickly)
    grave, other = told(), told("attempt 2 stopped", "information")
    sender.add([grave, other])
    settle(sender, WALL)
    assert receiver.keys("well") == [grave.key]
    settle(sender, WALL + 3601)
    assert receiver.keys("well") == [grave.key, other.key]


def test_level_rules_and_hosts_choose(receiver: Receiver, journal: NoticeJournal) -> None:
    channels = (
        *to(receiver, "grave", level="error").channels,
        *to(receiver, "nan", rules=frozenset({"nan"})).channels,
        *to(receiver, "other", hosts=frozenset({"studio"})).channels,
        *to(receiver, "gpu", hosts=frozenset({"gpu"})).channels,
    )
    sender = NoticeSender(NoticeSettings(channels), journal, quickly)
    sender.add([told(level="warning")])
    settle(sender, WALL)
    assert {path for path, _ in receiver.taken} == {"gpu"}


def test_a_disk_that_is_full_sends_nothing_that_could_not_be_remembered(
    receiver: Receiver, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = NoticeJournal()
    sender = NoticeSender(to(receiver, "well"), journal, quickly)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("tui.notices.notice_journal.write_bytes", full)
        with pytest.raises(OSError, match="No space"):
            sender.add([told()])
        with pytest.raises(OSError, match="No space"):
            sender.pump(WALL)
    assert not receiver.heard
    settle(sender, WALL + 1)
    assert receiver.keys("well") == [told().key]


def test_secrets_go_out_only_where_they_belong(
    receiver: Receiver, journal: NoticeJournal, root: Path
) -> None:
    token = "sekrit-token-1"
    settings = NoticeSettings(
        (
            NoticeChannel("hook", "webhook", url=receiver.url("hook/sekrit-path"), token=token),
            NoticeChannel("dead", "webhook", url="http://127.0.0.1:1/sekrit-path", token=token),
        )
    )
    sender = NoticeSender(settings, journal, quickly)
    one = told(text="demo failed: --api-key=abcdef123456 was refused \x1b[31m")
    sender.add([one])
    sender.pump(WALL)
    reports = sender.finish(10.0)
    ((_, _, body, headers),) = receiver.heard
    assert headers["Authorization"] == f"Bearer {token}"
    assert headers["Idempotency-Key"] == one.key
    assert b"abcdef123456" not in body
    assert b"\x1b" not in body
    kept = (root / "client" / "alerts" / "notices.json").read_text()
    assert "sekrit" not in kept + repr(reports) + repr(settings)
    assert "refused" in journal.entries[one.key].deliveries["dead"].said.lower()


def test_each_service_gets_its_own_words(receiver: Receiver) -> None:
    one = told(text="Größe <!channel> @everyone failed")
    url = receiver.url("x")
    slack, discord, ntfy = (
        posting(NoticeChannel("a", kind, url=url), one) for kind in ("slack", "discord", "ntfy")
    )
    assert "<!channel>" not in slack.body.decode()
    assert b'"parse": []' in discord.body
    assert ntfy.body.decode().startswith("✖ Größe <!channel>")
    assert (ntfy.headers["Priority"], ntfy.headers["Title"]) == ("5", "Photinus: demo-aaaaaa")
    assert post(url, ntfy).ok


def test_a_command_is_told_on_stdin_and_in_its_environment_and_ended_with_its_children(
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    one = told(text="it's $HOME")
    script = f'cat > {out}; printf "\\n%s|%s" "$PHOTINUS_ALERT_KEY" "$1" >> {out}'
    assert call_command(["sh", "-c", script, "sh"], one).ok
    said, rest = out.read_text().rsplit("\n", 1)
    assert f'"key": "{one.key}"' in said
    assert rest == f"{one.key}|✖ it's $HOME (demo-aaaaaa on gpu)"
    assert call_command(["sh", "-c", "exit 3"], one).said == "ended with 3"
    assert not call_command(["/nowhere/at/all"], one).ok
    slow = call_command(["sh", "-c", "sleep 60 & wait"], one, whole_s=0.2)
    assert slow.said == "not done after 0.2 s"


def test_the_journal_is_bounded_and_a_damaged_one_is_told(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.notices.notice_journal.NOTICES_MAX", 10)
    monkeypatch.setattr("tui.notices.notice_journal.KEYS_MAX", 50)
    journal = NoticeJournal()
    for number in range(100):
        journal.add(told(f"{number}"), ())
    journal.save()
    again = NoticeJournal()
    assert (len(again.entries), again.knows(told("99").key), again.knows(told("3").key)) == (10, True, False)
    path = root / "client" / "alerts" / "notices.json"
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text(
        '{"version": 1, "keys": 7, "notices": [1, {"key": "x"}], "looked": {"h": "x"}, "standing": 3}'
    )
    assert NoticeJournal().entries == {}
    path.write_text("{")
    assert "not JSON" in NoticeJournal().trouble


@pytest.mark.parametrize(
    ("kind", "most"), [("slack", 9000), ("discord", 2200), ("ntfy", 4096), ("webhook", 20_000)]
)
def test_the_end_of_a_log_goes_along_and_fits(kind: str, most: int) -> None:
    lines = [f"  line {n} of `it` & <more>" for n in range(400)]
    one = traced(told(), [*lines, "ValueError: no\nsuch"])
    body = posting(NoticeChannel("c", kind, "https://example.org"), one).body.decode()  # type: ignore[arg-type]
    assert len(body.encode()) <= most
    assert "ValueError: no" in body
    assert "line 1 of" not in body
    assert read_notice(one.to_json()) == one
