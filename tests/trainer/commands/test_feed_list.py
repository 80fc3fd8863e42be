"""`photinus-train feed list`: what trains, waits, is done; and files that became no shard."""

import json
from pathlib import Path

import pytest

from trainer import cli
from trainer.feed.feed_folder import FeedFolder
from trainer.feed.feed_ledger import FeedEvent, FeedLedger


@pytest.fixture(name="run")
def run_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A feed of five shards, the first two trained, the third in training, and two refused files."""
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "home"))
    folder = FeedFolder(tmp_path / "run" / "feed").create()
    ledger = FeedLedger(folder.ledger)
    for at in range(1, 6):
        ledger.note(FeedEvent(what="admitted", at=at, shard=f"000{at}-a", name=f"{at}.txt", claim=str(at)))
    for at in (1, 2, 3):
        ledger.note(FeedEvent(what="begun", at=10.0 + at, shard=f"000{at}-a", start=at, end=at + 1))
    for at in (1, 2):
        ledger.note(FeedEvent(what="done", at=20.0 + at, shard=f"000{at}-a", end=at + 1))
    ledger.note(FeedEvent(what="refused", at=30.0, name="photo.jpg", claim="6", reason="no text"))
    ledger.note(FeedEvent(what="duplicate", at=31.0, name="again\x1b[2J.txt", claim="7", reason="twice"))
    return tmp_path / "run"


def test_the_most_that_is_listed_begins_with_what_trains_and_waits(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["feed", "list", str(run), "--json", "--most", "4"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["shard"] for one in told["shards"]] == [f"000{at}-a" for at in (2, 3, 4, 5)]
    assert (told["left_out"], told["waiting"]) == (1, ["0004-a", "0005-a"])
    assert [one["name"] for one in told["refused"]] == ["photo.jpg", "again\x1b[2J.txt"]
    assert cli.main(["feed", "list", str(run), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["left_out"] == 0


def test_a_refused_file_is_listed_with_its_reason_and_steers_nothing(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["feed", "list", str(run)]) == 0
    out = capsys.readouterr().out
    assert "refused   photo.jpg: no text" in out
    assert "\x1b" not in out
