"""A checkpoint is whole: it speaks where its text is not, and a run outlives its text."""

import hashlib
import importlib.util
import io
import json
import shutil
from pathlib import Path

import pytest

from tests.trainer.data.tokenizers.tokenizer_json import file_of, written
from tests.trainer.evals.trained import state_root
from tests.trainer.loop.tiny import events, run, signals_restored, weights, write_text
from trainer import cli
from trainer.config.data import DataConfig
from trainer.data import prepare
from trainer.data.tokenizers.hugging_face import read_json
from trainer.evals import sections
from trainer.models.forms import small_kinds

BPE = ("data.tokenizer=bpe", "data.vocab=512")


def trained(folder: Path, sets: tuple[str, ...] = (), steps: int = 2) -> Path:
    """Train a little, in a home of its own."""
    text = write_text(folder / "text.txt")
    with state_root(folder / "home"):
        assert run(folder / "run", text, sets=(*sets, f"steps={steps}", "optim.horizon=4")) == 0
    return folder / "run"


@pytest.mark.parametrize("sets", [(), BPE])
def test_a_checkpoint_speaks_in_an_empty_home_without_its_text(
    sets: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = trained(tmp_path, sets)
    copy = tmp_path / "elsewhere" / "checkpoints" / "step-00000002"
    shutil.copytree(out / "checkpoints" / "step-00000002", copy)
    words = ["sample", str(copy), "--tokens", "8", "--json"]
    capsys.readouterr()
    with state_root(tmp_path / "home"):
        assert cli.main(words) == 0
    here = json.loads(capsys.readouterr().out)
    shutil.rmtree(tmp_path / "home")
    (tmp_path / "text.txt").unlink()
    with state_root(tmp_path / "empty"):
        assert cli.main(words) == 0
        assert not (tmp_path / "empty" / "cache").exists()
    there = json.loads(capsys.readouterr().out)
    assert (there["text"], there["tokens"]) == (here["text"], 8)


def test_the_manifest_tells_tokenizer_floors_and_fingerprint(tmp_path: Path) -> None:
    out = trained(tmp_path, BPE)
    folder = out / "checkpoints" / "step-00000002"
    raw = json.loads((folder / "state.json").read_text())
    stored = (folder / "tokenizer.json").read_bytes()
    assert (
        raw["tokenizer"]["sha256"]
        == hashlib.sha256(stored).hexdigest()
        == raw["files"]["tokenizer.json"]["sha256"]
    )
    assert (raw["tokenizer"]["name"], raw["tokenizer"]["special_tokens"]) == ("bpe", [])
    said = events(out, "floors")[0]
    assert raw["floors"] == {name: said[name] for name in ("unigram", "bigram", "trigram")}
    with state_root(tmp_path / "home"):
        config = DataConfig(source=str(tmp_path / "text.txt"), tokenizer="bpe", vocab=512)
        with prepare(config) as corpus:
            known = (corpus.tokenizer.to_json(), corpus.fingerprint)
    assert known == (stored, raw["data_fingerprint"])


def test_a_run_whose_text_is_gone_goes_on_from_the_cached_tokens(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    whole, out = trained(tmp_path / "one", steps=4), trained(tmp_path / "two", steps=2)
    (tmp_path / "two" / "text.txt").unlink()
    sets = ("steps=4", "optim.horizon=4")
    with state_root(tmp_path / "two" / "home"):
        assert run(out, tmp_path / "two" / "text.txt", "--resume", sets=sets) == 0
        assert weights(out, 4) == weights(whole, 4)
        assert any("in the cache still" in row["message"] for row in events(out, "note"))
    with state_root(tmp_path / "empty"):
        assert run(out, tmp_path / "two" / "text.txt", "--resume", sets=("steps=5", "optim.horizon=4")) == 2
        assert run(out, tmp_path / "other.txt", "--resume", sets=("steps=5", "optim.horizon=4")) == 2


def test_byte_pairs_are_those_of_the_checkpoint_on_any_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sections, "FEWEST", 4)
    out = trained(tmp_path, (*BPE, "data.val_fraction=0.5", "data.block_kib=1"))
    other = write_text(tmp_path / "other.txt", seed=5)
    few = ["--documents", "4", "--texts", "1", "--length", "2", "--json"]
    with state_root(tmp_path / "elsewhere"):
        assert cli.main(["evaluate", str(out), "--data", str(other), *few]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["source"] == str(other)


def test_an_older_checkpoint_without_a_tokenizer_speaks_where_its_text_is(tmp_path: Path) -> None:
    from trainer.run.checkpoints.manifest import seal

    out = trained(tmp_path)
    folder = out / "checkpoints" / "step-00000002"
    raw = json.loads((folder / "state.json").read_text())
    del raw["files"]["tokenizer.json"], raw["tokenizer"], raw["floors"]
    raw = {key: value for key, value in raw.items() if key != "seal"}
    (folder / "state.json").write_text(json.dumps(seal(raw)) + "\n")
    (folder / "tokenizer.json").unlink()
    with state_root(tmp_path / "home"):
        assert cli.main(["sample", str(folder), "--tokens", "2"]) == 0
    with state_root(tmp_path / "empty"):
        (tmp_path / "text.txt").unlink()
        assert cli.main(["sample", str(folder), "--tokens", "2"]) == 3


@pytest.mark.parametrize("kind", sorted(small_kinds()))
def test_a_copy_of_a_checkpoint_alone_is_continued_in_an_empty_home(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bytes and byte pairs in turn: configuration and tokenizer come from the copy, the text from --data."""
    pairs = BPE if kind in ("gpt", "kssm-v3", "kssm-v2-original") else ()
    out = trained(tmp_path, (f"model.kind={kind}", "model.heads=2", *pairs), steps=4)
    copy = tmp_path / "elsewhere" / "step-00000002"
    shutil.copytree(out / "checkpoints" / "step-00000002", copy)
    text = (tmp_path / "text.txt").rename(tmp_path / "moved.txt")
    words = ["run", "--out", str(tmp_path / "on"), "--from", str(copy)]
    with state_root(tmp_path / "empty"), signals_restored():
        assert cli.main(words) == 2
        assert "give --data the path of a text" in capsys.readouterr().err
        assert cli.main([*words, "--data", str(text)]) == 0
    assert weights(tmp_path / "on", 4) == weights(out, 4)


def test_a_tokenizer_of_hugging_face_lives_in_the_checkpoint(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Resumed, sampled, exported and begun with where its file is not."""
    file = written(tmp_path / "tokenizer.json")
    out = trained(tmp_path, ("data.tokenizer=bpe", f"data.tokenizer_file={file}"), steps=4)
    file.unlink()
    copy = tmp_path / "elsewhere" / "checkpoints" / "step-00000002"
    shutil.copytree(out / "checkpoints" / "step-00000002", copy)
    words = ["run", "--out", str(tmp_path / "on"), "--from", str(copy), "--data", str(tmp_path / "text.txt")]
    with state_root(tmp_path / "empty"), signals_restored():
        assert cli.main(words) == 0
        assert weights(tmp_path / "on", 4) == weights(out, 4)
        assert cli.main(["sample", str(copy), "--tokens", "4"]) == 0
        assert cli.main(["export", str(copy), "--to", str(tmp_path / "alone")]) == 0
    found = importlib.util.spec_from_file_location("modeling_of_merges", tmp_path / "alone" / "modeling.py")
    assert found is not None
    assert found.loader is not None
    alone = importlib.util.module_from_spec(found)
    found.loader.exec_module(alone)
    _, tokenizer = alone.load(tmp_path / "alone")
    assert tokenizer.encode("the firefly    in phase") == read_json(json.dumps(file_of()).encode()).encode(
        "the firefly    in phase"
    )
    capsysbinary.readouterr()
    with state_root(tmp_path / "other"), signals_restored():
        again = ("data.tokenizer=bpe", f"data.tokenizer_file={file}", "steps=2")
        assert run(tmp_path / "new", tmp_path / "text.txt", sets=again) == 2
    assert b"leave data.tokenizer_file out" in capsysbinary.readouterr().err


@pytest.mark.parametrize(("kind", "pairs"), [("gated", ()), ("kssm-v3", BPE)])
def test_a_copy_of_a_checkpoint_alone_is_evaluated_on_a_text_that_is_given(
    kind: str,
    pairs: tuple[str, ...],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sections, "FEWEST", 4)
    out = trained(tmp_path, (f"model.kind={kind}", "data.val_fraction=0.5", "data.block_kib=1", *pairs))
    copy = tmp_path / "elsewhere" / "step-00000002"
    shutil.copytree(out / "checkpoints" / "step-00000002", copy)
    (tmp_path / "text.txt").unlink()
    other = write_text(tmp_path / "other.txt", seed=5)
    words = ["evaluate", str(copy), "--documents", "4", "--texts", "1", "--length", "2", "--json"]
    with state_root(tmp_path / "empty"):
        assert cli.main(words) == 3
        assert "--data" in capsys.readouterr().err
        assert cli.main([*words, "--text", str(other)]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["source"] == str(other)


def test_a_conversation_remembers_and_is_the_same_for_one_seed(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = trained(tmp_path)
    answers = []
    for lines in ("The\n", "The\n", "firefly\nThe\n"):
        monkeypatch.setattr("sys.stdin", io.StringIO(lines))
        capsysbinary.readouterr()
        assert cli.main(["chat", str(out), "--tokens", "12", "--temperature", "0.5"]) == 0
        answers.append(capsysbinary.readouterr().out)
    assert answers[0] == answers[1] != b""
    assert answers[2] not in (b"", answers[0])
    assert cli.main(["chat", str(out), "--tokens", "0"]) == 2
