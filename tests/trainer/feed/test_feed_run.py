"""A feed as a user runs it: exact steps, everything carried over, and one answer to every wish."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.trainer.feed.fed import SIZES, feed, fill, ledger, walked, words, write_shards
from tests.trainer.loop.tiny import events, last_word, moments, weights, write_text
from tests.waiting import wait_until
from trainer.commands.kept.feed import FEED
from trainer.config.resolve import from_values
from trainer.data.scored import scored_weights
from trainer.data.tokenizers.tokenizer import ByteTokenizer
from trainer.device.device import open_device
from trainer.feed.feed_folder import FeedFolder
from trainer.feed.feed_ledger import FeedState
from trainer.feed.feed_requests import ask_feed, feed_answer
from trainer.feed.feeding import Feeding, FeedWish
from trainer.feed.shard import load_shard, read_shard
from trainer.feed.shard_order import order_of
from trainer.loop.context import Training
from trainer.loop.setup import build_state
from trainer.run.checkpoints.manifest import verify
from trainer.run.checkpoints.pins import read_pins
from trainer.run.layout import RunDir
from trainer.step.optimizer_step import to_device, train_step

ENDS = [(0, 8), (8, 20), (20, 25), (25, 31)]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a base text and four shards; and a state root of these tests' own."""
    folder = tmp_path_factory.mktemp("files")
    write_text(folder / "text.txt")
    write_shards(folder)
    before = os.environ.get("PHOTINUS_HOME")
    os.environ["PHOTINUS_HOME"] = str(folder / "home")
    yield folder
    if before is None:
        del os.environ["PHOTINUS_HOME"]
    else:
        os.environ["PHOTINUS_HOME"] = before


@pytest.fixture(scope="module")
def fed(files: Path) -> Path:
    """A feed of all four shards in one go."""
    out = files / "fed"
    fill(out, shards(files))
    assert feed(out, files / "text.txt") == 0
    return out


def shards(files: Path) -> list[Path]:
    """Return the four files."""
    return [files / f"shard-{number}.jsonl" for number in range(len(SIZES))]


def test_shards_end_at_exact_steps_and_adam_has_taken_as_many(fed: Path) -> None:
    assert walked(fed) == ENDS
    state = ledger(fed)
    assert [shard.state for shard in state.shards.values()] == ["done"] * 4
    taken = load_file(fed / "checkpoints" / "step-00000031" / "optimizer.safetensors")
    assert {float(value) for key, value in taken.items() if key.endswith(".step")} == {31.0}
    assert last_word(fed)["outcome"] == "succeeded"


def test_weights_are_those_of_a_plain_loop_that_sees_every_example_once(fed: Path, files: Path) -> None:
    """The reference knows nothing of feeds: files, an order, padded batches, optimizer steps."""
    raw = verify(fed / "checkpoints" / "step-00000031").raw
    config = from_values(raw["config"])
    device = open_device("cpu", 1)
    state = build_state(config, device, 256, int(raw["schedule"]["horizon"]))
    seen: list[bytes] = []
    ends = []
    for path in shards(files):
        shard = read_shard(path, path.name, ByteTokenizer(), config.context, "text")
        order = order_of(shard.sha256, [len(shard)], 0, config.seed)[:, 1].tolist()
        for first in range(0, len(order), config.batch):
            examples = [shard.example(one).astype(np.int64) for one in order[first : first + config.batch]]
            seen += [one.tobytes() for one in examples]
            inputs, targets, mask = (np.zeros((config.batch, config.context), np.int64) for _ in range(3))
            for row, ids in enumerate(examples):
                inputs[row, : len(ids) - 1], targets[row, : len(ids) - 1] = ids[:-1], ids[1:]
                mask[row, : len(ids) - 1] = 1
            batch = to_device((inputs, targets, scored_weights(mask.astype(bool))), device)
            train_step(state, config, device, batch)
        ends.append(state.step)
        stored = load_file(fed / "checkpoints" / f"step-{state.step:08d}" / "model.safetensors")
        named = state.model.state_dict()
        assert all(torch.equal(named[key], value) for key, value in stored.items()), path.name
    assert ends == [end for _, end in ENDS]
    assert len(seen) == sum(SIZES) == 243


def test_a_process_for_every_shard_comes_to_the_same_weights_and_moments(fed: Path, files: Path) -> None:
    out, text = files / "one by one", files / "text.txt"
    for number, path in enumerate(shards(files)):
        fill(out, [path])
        assert feed(out, text, *(["--resume"] if number else [])) == 0
    assert walked(out) == ENDS
    assert weights(out, 31) == weights(fed, 31)
    assert moments(out, 31) == moments(fed, 31)


def test_loss_goes_on_where_it_was_and_a_reset_optimizer_comes_to_other_weights(
    fed: Path, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = [shard.ended for shard in ledger(fed).shards.values()]
    assert ended[0] is not None
    assert ended[1] is not None
    assert ended[0].loss_last is not None
    assert ended[1].loss_first is not None
    assert ended[1].loss_first <= 1.1 * ended[0].loss_last
    assert ended[0].val_after is not None
    assert ended[0].val_after == ended[1].val_before
    assert not ended[0].regression
    begin = Feeding._begin

    def forgetful(self: Feeding, key: str) -> object:
        self.run.state.optimizer.state.clear()
        return begin(self, key)

    monkeypatch.setattr(Feeding, "_begin", forgetful)
    out = files / "forgetful"
    fill(out, shards(files)[:2])
    assert feed(out, files / "text.txt") == 0
    assert weights(out, 8) == weights(fed, 8)
    assert weights(out, 20) != weights(fed, 20)


def test_kill_nine_in_the_second_shard_ends_in_the_same_weights(fed: Path, files: Path) -> None:
    out, text = files / "killed", files / "text.txt"
    fill(out, shards(files))
    process = subprocess.Popen(
        [sys.executable, "-m", "trainer", *words(out, text, sets=["log.every=1"])],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    try:
        wait_until(lambda: any(row["step"] >= 12 for row in events(out, "metrics")), 60)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert ledger(out).walk
    with (out / "feed" / "ledger.jsonl").open("a") as file:
        file.write('{"what":"done","at":1.0,"sh')  # a line that a kill has torn
    assert feed(out, text, "--resume") == 0
    assert weights(out, 31) == weights(fed, 31)
    assert moments(out, 31) == moments(fed, 31)
    assert walked(out) == ENDS


def test_same_content_is_flagged_and_not_trained_and_what_is_no_text_is_refused(files: Path) -> None:
    out = files / "duplicates"
    bad = files / "bad.jsonl"
    bad.write_text("{}\n")
    fill(out, [shards(files)[2], bad, shards(files)[2]])
    assert feed(out, files / "text.txt") == 0
    assert walked(out) == [(0, 5)]
    notes = [row["message"] for row in events(out, "note")]
    assert any("its examples are those of shard 0001" in note for note in notes)
    assert any("bad.jsonl is not trained: " in note and "no text under 'text'" in note for note in notes)
    assert len(list(FeedFolder(out / FEED).refused.iterdir())) == 2


def test_a_feed_of_nothing_is_refused(files: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert feed(files / "nothing", files / "text.txt") == 3
    assert "ran 0 steps: nothing waits" in capfd.readouterr().err


def test_pause_holds_a_stray_resume_does_nothing_and_a_stop_while_paused_ends_soon(
    fed: Path, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, folder = files / "paused", FeedFolder(files / "paused" / FEED)
    fill(out, shards(files))
    answers: dict[str, str] = {}
    took: list[float] = []

    def say(verb: str, shard: str = "", place: int = 1) -> None:
        req_id = ask_feed(folder, verb, shard, place)
        wait_until(lambda: feed_answer(folder, req_id) is not None, 20)
        ack = feed_answer(folder, req_id)
        assert ack is not None
        answers[f"{verb} {len(answers)}"] = ("yes: " if ack.done else "no: ") + ack.message

    taken, held = sys.modules["trainer.feed.feeding"].step, threading.Event()

    def in_time(run: Training) -> None:
        if run.state.step == 4:
            assert held.wait(60)  # until it is asked to pause again
        taken(run)

    monkeypatch.setattr("trainer.feed.feeding.step", in_time)
    stray = ask_feed(folder, "resume")
    pause = ask_feed(folder, "pause")

    def operate() -> None:
        wait_until(lambda: feed_answer(folder, pause) is not None, 60)
        say("pause")
        say("resume")  # goes on: the stray one before the pause was spent
        wait_until(lambda: len(ledger(out).walk) > 0, 20)
        again = ask_feed(folder, "pause")
        held.set()
        wait_until(lambda: feed_answer(folder, again) is not None, 20)
        say("move", "4", 1)
        say("skip", "3")
        say("retry", "3")
        say("skip", "3")
        say("skip", "99")
        began = time.monotonic()
        say("stop")
        wait_until(lambda: (out / "exit.json").exists(), 20)
        took.append(time.monotonic() - began)

    thread = threading.Thread(target=operate, daemon=True)
    thread.start()
    assert feed(out, files / "text.txt") == 0
    thread.join(20)
    assert last_word(out)["outcome"] == "stopped"
    assert took[0] <= 2
    ack = feed_answer(folder, stray)
    assert ack is not None
    assert (ack.done, ack.message) == (False, "it is not paused: nothing to resume")
    told = list(answers.values())
    assert told[0] == "no: it is paused already"
    assert told[1] == "yes: resumed"
    assert told[3].startswith("yes: 0003-")
    assert told[4].endswith("waits again")
    assert "there is no shard '99'" in told[6]
    assert ledger(out).paused
    ask_feed(folder, "resume")
    assert feed(out, files / "text.txt", "--resume") == 0
    assert [key[:4] for key in ledger(out).walk] == ["0001", "0004", "0002"]
    assert walked(out) == [(0, 8), (8, 14), (14, 26)]
    assert weights(out, 8) == weights(fed, 8)


def test_snapshot_is_taken_within_a_step_of_its_time_in_the_middle_of_a_shard(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = time.mktime((2026, 11, 30, 2, 59, 49, 0, 0, -1))
    steps = 0
    taken = sys.modules["trainer.feed.feeding"].step

    def counted(run: Training) -> None:
        nonlocal steps
        taken(run)
        steps += 1

    monkeypatch.setattr("trainer.feed.feeding.step", counted)
    monkeypatch.setattr("trainer.feed.feeding.FeedWish", partial(FeedWish, clock=lambda: local + steps))
    out = files / "snapshot"
    fill(out, shards(files)[:2])
    os.utime(out / "feed" / "inbox" / "shard-0.jsonl", (1, 1))
    os.utime(out / "feed" / "inbox" / "shard-1.jsonl", (2, 2))
    assert feed(out, files / "text.txt") == 0
    assert read_pins(RunDir(out)) == {"step-00000011": "snapshot"}
    assert ledger(out).snapshot == "2026-11-30"
    assert verify(out / "checkpoints" / "step-00000011").kind == "snapshot"
    assert walked(out) == ENDS[:2]


def test_low_disk_pauses_the_feed_and_fails_no_shard(
    fed: Path, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0

    def short(_: Path, __: int) -> str:
        nonlocal looks
        looks += 1
        return "disk 3.1 GB free, needs 6.2" if 2 < looks < 6 else ""

    monkeypatch.setattr("trainer.loop.disk_guard.shortage", short)
    out = files / "low disk"
    fill(out, shards(files)[:2])
    assert feed(out, files / "text.txt") == 0
    notes = [row["message"] for row in events(out, "note")]
    assert notes.count("paused: disk 3.1 GB free, needs 6.2") == 1
    assert [one["detail"] for one in events(out, "state") if one["phase"] == "paused"]
    assert [one.state for one in ledger(out).shards.values()] == ["done", "done"]
    assert weights(out, 20) == weights(fed, 20)


def test_numbers_that_are_none_fail_their_shard_alone(
    fed: Path, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = sys.modules["trainer.feed.feeding"].step

    def poisoned(run: object) -> None:
        taken(run)
        state = run.state  # type: ignore[attr-defined]
        if (
            state.step > 8
            and not len(ledger(out).walk) > 2
            and ledger(out).shards["0002" + second].state == "training"
        ):
            with torch.no_grad():
                next(state.model.parameters()).fill_(float("nan"))

    monkeypatch.setattr("trainer.feed.feeding.step", poisoned)
    out = files / "poisoned"
    fill(out, shards(files)[:3])
    second = "-" + read_shard(shards(files)[1], "a.jsonl", ByteTokenizer(), 16, "text").sha256[:8]
    assert feed(out, files / "text.txt", sets=["log.every=1"]) == 0
    state: FeedState = ledger(out)
    assert [shard.state for shard in state.shards.values()] == ["done", "failed", "done"]
    assert walked(out) == [(0, 8), (8, 13)]
    assert weights(out, 8) == weights(fed, 8)


def test_tokens_of_a_shard_prove_themselves(fed: Path) -> None:
    state = ledger(fed)
    key, shard = next(iter(state.shards.items()))
    path = fed / FEED / "shards" / f"{key}.npz"
    whole = path.read_bytes()
    try:
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(Exception, match="were changed"):
            load_shard(path, shard.admitted.sha256, shard.admitted.tokens_sha256)
    finally:
        path.write_bytes(whole)
