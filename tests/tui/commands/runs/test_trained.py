"""`checkpoints` and `feed` of a run on a host: what `photinus-train` says there, and files for its inbox."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from remote.actions.trained.ask_trainer import ask_trainer, feed_file
from remote.agent.context import Context
from remote.agent.runs.trained_folder import trained_folder
from remote.hosts.hosts_edit import add_hosts
from remote.protocol.errors import CallError
from remote.protocol.trained import FeedTakeArgs
from remote.protocol.verbs import FEED_TAKE
from remote.session.session import Session, connect
from tests.remote.finished_runs import finish, run_id_of
from tests.remote.scripts import spec
from tests.sshd.server import Sshd
from tests.trainer.run.checkpoints.test_manifest import make
from tests.tui.commands.conftest import Photinus
from tests.tui.fake import view
from trainer.feed.feed_folder import FeedFolder
from trainer.run.checkpoints.manifest import checkpoint_name
from trainer.run.checkpoints.pins import read_pins
from trainer.run.layout import RunDir
from trainer.run.states import State
from tui.commands.runs.trained import why_none


@pytest.fixture(name="session")
def session_fixture(photinus: Photinus) -> Iterator[Session]:
    """A session with this machine, in the home that the commands have."""
    with connect() as opened:
        yield opened


def kept(root: Path, feeds: Path | None = None) -> RunDir:
    """A run that is over, with four checkpoints; a command that was `photinus-train`, where it `feeds`."""
    argv = ["photinus-train", "feed", "run", "--out", str(feeds)] if feeds else ["true"]
    run = finish(root, run_id_of(0), ended=1e9, state=State.SUCCEEDED, name="books", argv=argv)
    place = RunDir(feeds) if feeds else run
    for step in (1, 2, 3, 4):
        make(place.checkpoints, step, metrics={"val_ce": abs(2.5 - step)})
    if feeds:
        FeedFolder(feeds / "feed").create()
    return run


def test_over_ssh_checkpoints_are_listed_pinned_and_let_go_and_files_arrive(
    photinus: Photinus, sshd: Sshd, tmp_path: Path
) -> None:
    box = sshd.host("plain", name="box")
    sshd.place(box)
    add_hosts([box])
    home = sshd.home("plain")
    feeds = home / "it is fed"
    feeds.mkdir(mode=0o755)
    kept(home / ".photinus", feeds)
    plan = photinus("checkpoints", "box:books", "retain", "--plan", "--keep-last", "1", "--json").json
    assert plan["remove"] == [checkpoint_name(step) for step in (1, 2)]
    assert (feeds / "checkpoints" / checkpoint_name(2)).is_dir()
    assert photinus("checkpoints", "box:books", "pin", "1").code == 0
    assert list(read_pins(RunDir(feeds))) == [checkpoint_name(1)]
    text = tmp_path / "it's monday.txt"
    text.write_text("a text\n" * 9)
    first = photinus("feed", "box:books", str(text), "--priority", "high", "--json").json
    again = photinus("feed", "box:books", str(text), "--priority", "high", "--json").json
    assert first[0]["name"] == "it's monday.txt"
    assert again[0]["name"] != first[0]["name"]
    lying = sorted((feeds / "feed" / "inbox" / "high").iterdir())
    assert [path.read_text() for path in lying] == [text.read_text()] * 2


def test_what_is_no_word_or_no_feed_is_refused_on_the_host(
    photinus: Photinus, session: Session, tmp_path: Path
) -> None:
    run = kept(Path(os.environ["PHOTINUS_HOME"]))
    model = next(
        path for path in (run.checkpoints / checkpoint_name(3)).iterdir() if path.name != "state.json"
    )
    model.write_bytes(b"torn")
    assert photinus("checkpoints", run.run_id, "verify").code == 1
    paused = ask_trainer(session, run.run_id, "feed", ["pause"])
    assert (paused.code, "is no feed" in paused.said) == (2, True)
    (tmp_path / "a.txt").write_text("a")
    unfed = photinus("feed", run.run_id, str(tmp_path / "a.txt"))
    assert (unfed.code, "is no feed" in unfed.err) == (6, True)
    assert photinus("feed", run.run_id, "--pause", "--stop").code == 2
    for words in (["list", "--out=/etc"], ["list", "../../etc"], ["run"], ["pin", "-x"]):
        with pytest.raises(CallError) as caught:
            ask_trainer(session, run.run_id, "checkpoints", words)
        assert caught.value.code == "bad_request"
    fed = FeedFolder(run.path / "feed").create()
    assert fed is not None
    long = FeedTakeArgs(run_id=run.run_id, part=f".{'0' * 24}.part", name="ß" * 150)
    with pytest.raises(CallError, match="is no name for a file") as caught:
        session.call(FEED_TAKE, long)


def test_a_run_that_keeps_nothing_says_why(photinus: Photinus) -> None:
    run = finish(Path(os.environ["PHOTINUS_HOME"]), run_id_of(0), argv=["true"])
    none = photinus("checkpoints", run.run_id)
    assert (none.code, none.out) == (0, "")
    for word in ("it is a command", "photinus-train run --out DIR", "photinus-train import"):
        assert word in none.err, word
    assert photinus("checkpoints", run.run_id, "--json").json == {"checkpoints": [], "trash": []}
    make(run.checkpoints, 1)
    assert checkpoint_name(1) in photinus("checkpoints", run.run_id).out
    base = view(run.run_id, kind="trainer")
    assert f"photinus save {run.run_id}" in why_none(base)
    assert "it is over (failed)" in why_none(replace(base, state="failed"))


def test_a_file_that_arrives_changed_is_not_taken(
    photinus: Photinus, session: Session, tmp_path: Path
) -> None:
    feeds, path = tmp_path / "feeds", tmp_path / "a.txt"
    run = kept(Path(os.environ["PHOTINUS_HOME"]), feeds)
    path.write_text("whole\n")

    def damaged(there: str, pieces: Iterator[bytes]) -> None:
        Path(there).write_bytes(b"".join(pieces)[:-1])

    with pytest.raises(CallError, match="arrived changed") as caught:
        feed_file(session, run.run_id, path, "low", damaged)
    assert caught.value.code == "damaged"
    assert list((feeds / "feed" / "inbox" / "low").iterdir()) == []


def test_a_feed_of_shipped_code_lies_where_its_copy_does(tmp_path: Path) -> None:
    run = finish(tmp_path, run_id_of(0))
    argv = ("photinus-train", "feed", "run", "--out", "fed")
    (run.code / "sub" / "fed").mkdir(parents=True)
    asked = replace(spec(run_id=run.run_id), argv=argv, cwd="sub", code={"sha256": "0" * 64})
    ctx = SimpleNamespace(views=SimpleNamespace(spec=lambda _: asked))
    assert trained_folder(cast(Context, ctx), run) == run.code / "sub" / "fed"


def test_an_older_photinus_is_told_in_the_one_sentence() -> None:
    def older(*_: object) -> None:
        raise CallError("unknown_verb", "unknown verb 'trainer-look'")

    session = cast(Session, SimpleNamespace(call=older, host=SimpleNamespace(name="studio")))
    with pytest.raises(
        CallError, match="the Photinus of studio is older, and knows no trainer-look"
    ) as caught:
        ask_trainer(session, "a-abcdef", "checkpoints", ["list"])
    assert caught.value.remedy == "photinus hosts deploy studio"
