"""Weights of other programs: the same logits; what they do not tell is asked; hostile files are refused."""

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from tests.trainer.foreign.references import (
    PLACES,
    VOCABULARY,
    ReferenceBlockV2,
    ReferenceBlockV3,
    ReferenceGPT,
    ReferenceGPT2,
    ReferenceStack,
    ReferenceV1,
)
from tests.trainer.loop.tiny import run as train
from tests.trainer.loop.tiny import text_fixture
from trainer import cli
from trainer.config.resolve import from_values
from trainer.data.tokenizers.bpe import BpeTokenizer
from trainer.device.device import open_device
from trainer.evals.subject import load_model
from trainer.foreign import pt_file
from trainer.foreign.pickle_shape import PickleShapeError, check_shape
from trainer.models import LanguageModel
from trainer.run.checkpoints.manifest import newest_valid, verify

__all__ = ["text_fixture"]


def v3(*, clamped: bool) -> nn.Module:
    return ReferenceStack([ReferenceBlockV3(4, clamped=clamped) for _ in range(2)])


MODELS: dict[str, tuple[Callable[[], nn.Module], list[str]]] = {
    "v1": (ReferenceV1, []),
    "v2": (lambda: ReferenceStack([ReferenceBlockV2() for _ in range(3)], aggregates=True), []),
    "v3": (lambda: v3(clamped=True), ["--as", "kssm-v3-original"]),
    "v3 without a clamp": (lambda: v3(clamped=False), ["--as", "kssm-v3-monostable"]),
    "nanoGPT": (lambda: ReferenceGPT(3, bias=True), ["--heads", "3"]),
    "nanoGPT without biases": (lambda: ReferenceGPT(2, bias=False), ["--heads", "2"]),
    "GPT-2": (lambda: ReferenceGPT2(2), ["--heads", "2", "--gelu", "tanh"]),
    "GPT-2 with another GELU": (
        lambda: ReferenceGPT2(3, tanh=False),
        ["--heads", "3", "--gelu", "exact"],
    ),
    "nanoGPT of old": (lambda: ReferenceGPT(1, bias=True, tanh=True), ["--heads", "1", "--gelu", "tanh"]),
}
DIFFERENT = {
    "v3": ["--as", "kssm-v3-monostable"],
    "nanoGPT": ["--heads", "1"],
    "nanoGPT of old": ["--heads", "1"],
    "GPT-2": ["--heads", "2", "--gelu", "exact"],
}


def drawn(make: Callable[[], nn.Module]) -> nn.Module:
    torch.manual_seed(5)
    model = make().eval()
    with torch.no_grad():
        for one in model.parameters():
            one.mul_(1.5)  # far from the start, where a forgotten nonlinearity would hardly show
    return model


def saved(path: Path, model: nn.Module, how: str = "bare") -> Path:
    state = model.state_dict()
    value: dict[str, Any] = {
        "bare": state,
        "compiled": {f"_orig_mod.{key}": one for key, one in state.items()},
        "inside": {"model_state": state, "step": 17, "history": [{"R": 0.5}], "config": {"lr": 1e-3}},
    }[how]
    torch.save(value, path)
    return path


def take(path: Path, to: Path, *more: str) -> int:
    return cli.main(["import", str(path), "--to", str(to), *more])


def loaded(to: Path) -> LanguageModel[Any]:
    found = newest_valid(to / "checkpoints")
    assert found is not None
    manifest = verify(found.path)
    config = from_values(manifest.raw["config"])
    return load_model(found.path, config, manifest.raw["vocab_size"], open_device("cpu", 1))


def distance(one: nn.Module, other: LanguageModel[Any]) -> float:
    tokens = torch.randint(0, VOCABULARY, (2, PLACES), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.manual_seed(3)  # the published v3 draws noise in evaluation, too
        wanted = one(tokens)
        torch.manual_seed(3)
        return float((other(tokens).logits - wanted).abs().max())


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize("name", MODELS)
def test_logits_are_those_of_the_model_that_was_saved(tmp_path: Path, name: str) -> None:
    make, told = MODELS[name]
    model = drawn(make)
    path = saved(tmp_path / "model.pt", model, "compiled" if "GPT" in name else "inside")
    assert take(path, tmp_path / "run", "--tokenizer", "none", *told) == 0
    assert distance(model, loaded(tmp_path / "run")) <= 1e-5
    if other := DIFFERENT.get(name):  # the control: what is told matters
        assert take(path, tmp_path / "other", "--tokenizer", "none", *other) == 0
        assert distance(model, loaded(tmp_path / "other")) > 1e-3


def test_the_body_of_gpt2_alone_in_safetensors_is_the_same(tmp_path: Path) -> None:
    model, path = drawn(lambda: ReferenceGPT2(2)), tmp_path / "model.safetensors"
    body = {
        key.removeprefix("transformer."): one.contiguous()
        for key, one in model.state_dict().items()
        if key != "lm_head.weight"
    }
    save_file(body, path)
    told = ["--tokenizer", "none", "--heads", "2", "--gelu", "tanh"]
    assert take(path, tmp_path / "run", *told) == 0
    assert distance(model, loaded(tmp_path / "run")) <= 1e-5
    path.write_bytes(path.read_bytes()[:-5])
    assert take(path, tmp_path / "torn", *told) == 3


def test_a_text_goes_token_by_token_as_it_does_at_once(tmp_path: Path) -> None:
    path = saved(tmp_path / "model.pt", drawn(lambda: ReferenceGPT(3, bias=True)))
    assert take(path, tmp_path / "run", "--tokenizer", "none", "--heads", "3") == 0
    model, tokens = loaded(tmp_path / "run"), torch.arange(PLACES).unsqueeze(0)
    whole, state = model(tokens).logits, model.init_state(1)
    for place in range(PLACES):
        out, state = model.step(tokens[:, place], state)
        assert float((out.logits - whole[:, place]).detach().abs().max()) <= 1e-5
    with pytest.raises(ValueError, match="position 17 is past the 16"):
        model.step(tokens[:, 0], state)


def test_what_weights_do_not_tell_must_be_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gpt = saved(tmp_path / "gpt.pt", drawn(lambda: ReferenceGPT(3, bias=True)))
    turned = saved(tmp_path / "gpt2.pt", drawn(lambda: ReferenceGPT2(3)))
    kuramoto = saved(tmp_path / "v3.pt", drawn(lambda: v3(clamped=True)), "inside")
    for path, words, asked in (
        (gpt, ["--tokenizer", "none"], "--heads N"),
        (kuramoto, ["--tokenizer", "none"], "--as kssm-v3-original"),
        (gpt, ["--heads", "3"], "--tokenizer byte"),
        (gpt, ["--heads", "3", "--tokenizer", "byte"], "256 tokens, these weights 23"),
        (gpt, ["--heads", "3", "--tokenizer", str(gpt)], "no tokenizer.json"),
        (gpt, ["--heads", "5", "--tokenizer", "none"], "no form here"),
        (turned, ["--heads", "3", "--tokenizer", "none"], "--gelu tanh (gelu_new"),
        (turned, ["--gelu", "tanh", "--tokenizer", "none"], "--heads N"),
    ):
        assert take(path, tmp_path / "run", *words) in (2, 3)
        assert asked in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    told = {"model": ReferenceGPT(3, bias=True).state_dict(), "model_args": {"n_head": 3}, "iter_num": 9}
    torch.save(told, gpt)
    assert take(gpt, tmp_path / "run", "--tokenizer", "none", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["path"].endswith("step-00000009")
    assert "3 heads, as the file says" in answer["notes"]
    assert take(gpt, tmp_path / "run", "--tokenizer", "none") == 3
    assert "there already" in capsys.readouterr().err


def test_a_model_that_was_taken_over_begins_a_lineage_and_is_not_resumed(
    tmp_path: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(1)
    model = ReferenceGPT(2, bias=True)
    model.transformer.wte = nn.Embedding(258, 12)
    model.lm_head.weight = model.transformer.wte.weight
    path = saved(tmp_path / "model.pt", model)
    tokenizer = tmp_path / "tokenizer.json"
    tokenizer.write_bytes(BpeTokenizer([(101, 32), (116, 104)]).to_json())
    assert take(path, tmp_path / "old", "--tokenizer", str(tokenizer), "--heads", "2") == 0
    assert cli.main(["sample", str(tmp_path / "old"), "--tokens", "5", "--json"]) == 0
    checkpoint = tmp_path / "old" / "checkpoints" / "step-00000000"
    assert (
        cli.main(["run", "--out", str(tmp_path / "on"), "--from", str(checkpoint), "--data", str(text)]) == 3
    )
    assert "holds weights and no optimizer" in capsys.readouterr().err
    shape = ["kind=gpt", "dim=12", "heads=2", "layers=2", "places=learned", "positions=16", "gelu=exact"]
    sets = [*(f"model.{one}" for one in shape), "data.tokenizer=bpe", "steps=1"]
    assert train(tmp_path / "new", text, "--init-from", str(tmp_path / "old"), sets=sets) == 0


class Claimed:
    """A storage that a pickle claims."""

    def __init__(self, numbers: int) -> None:
        self.pid = ("storage", torch.FloatStorage, "0", "cpu", numbers)


class Claiming(pickle.Pickler):
    def persistent_id(self, obj: object) -> object:
        return obj.pid if isinstance(obj, Claimed) else None


def claimed_twice() -> bytes:
    """An archive in which one storage has two lengths, and the later one is true."""
    raw, out = io.BytesIO(), io.BytesIO()
    Claiming(raw, 2).dump({"a": Claimed(1 << 40), "b": Claimed(1)})
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("x/data.pkl", raw.getvalue())
        archive.writestr("x/data/0", bytes(4))
    return out.getvalue()


def doubled(levels: int) -> bytes:
    """Of what is on top of a pickle's stack a tuple that holds it twice, and so on."""
    return b"".join(b"q" + bytes([at]) + b"h" + bytes([at]) + b"\x86" for at in range(levels))


def test_what_is_built_without_end_would_be_hashed_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0

    def counted(one: object) -> int:
        nonlocal looks
        looks += 1
        return id(one)

    monkeypatch.setattr(pt_file._Inert, "__hash__", counted)
    leaf = b"}ctorch\nSize\n)R"
    with pytest.raises(PickleShapeError, match="deep in one another"):
        check_shape(b"\x80\x02" + leaf + doubled(12) + b"Ns.")
    pt_file._Look(b"\x80\x02" + leaf + doubled(12) + b"Ns.", "x").load()  # the control: nobody looked before
    assert looks == 2**12


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, ("import os; os.environ['PHOTINUS_EVIL'] = '1'",))


def rezipped(
    path: Path, to: Path, change: Callable[[str, bytes], bytes], how: int = zipfile.ZIP_STORED
) -> Path:
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(to, "w", how) as new:
        for one in old.infolist():
            new.writestr(one.filename, change(one.filename, old.read(one)))
    return to


def test_what_is_hostile_cut_or_no_model_is_refused_and_not_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTINUS_EVIL", "0")
    good = saved(tmp_path / "good.pt", drawn(ReferenceV1))
    whole, cases = good.read_bytes(), dict[str, str]()

    def case(name: str, data: bytes, why: str) -> None:
        (tmp_path / f"{name}.pt").write_bytes(data)
        cases[name] = why

    def stored(value: object, *, legacy: bool = False) -> bytes:
        out = io.BytesIO()
        torch.save(value, out, _use_new_zipfile_serialization=not legacy)
        return out.getvalue()

    case("evil", stored({"a": torch.ones(2), "b": Evil()}), "asks for '__builtin__ exec'")
    case("bare evil", pickle.dumps(Evil()), "no archive of torch.save")
    case("legacy", stored(ReferenceV1().state_dict(), legacy=True), "no archive of torch.save")
    case("half", whole[: len(whole) // 2], "cut off or damaged")
    case(
        "endless", stored({"embed.weight": torch.zeros(1).expand(1 << 40)}), "claims 4,398,046,511,104 bytes"
    )
    case("text", b"step | total\n", "no archive of torch.save")
    case("numbers", stored([1, 2, 3]), "holds no weights")
    case("other", stored(nn.Linear(3, 3).state_dict()), "no model that is known here")
    case("integers", stored({"a": torch.ones(3, dtype=torch.long)}), "no plain tensor")
    case(
        "more", stored({**ReferenceV1().state_dict(), "extra.weight": torch.ones(1)}), "such a model has not"
    )
    case("less", stored({key: one for key, one in ReferenceV1().state_dict().items() if "logits" not in key}),
         "missing or of another shape")  # fmt: skip
    case(
        "nan",
        stored({**ReferenceV1().state_dict(), "embed.weight": torch.full((23, 12), torch.nan)}),
        "no number",
    )
    untied = {**ReferenceGPT(2, bias=True).state_dict(), "lm_head.weight": torch.ones(23, 12)}
    case("untied", stored(untied), "is not the embedding")
    rezipped(good, tmp_path / "bomb.pt", lambda _, data: data, zipfile.ZIP_DEFLATED)
    cases["bomb"] = "compressed inside"
    rezipped(good, tmp_path / "short.pt", lambda name, data: data[:8] if "/data/" in name else data)
    cases["short"] = "bring it again"
    rezipped(good, tmp_path / "noise.pt", lambda name, data: data[::-1] if name.endswith(".pkl") else data)
    cases["noise"] = "no weights that can be read"
    case("claimed", claimed_twice(), "has two lengths")
    built = {
        "deep": b"})" + b"\x85" * 600_000 + b"Ns",  # hashing it overflows the stack and ends the process
        "doubled": b"}N" + doubled(60) + b"Ns",  # hashing it takes 2 ** 60 looks at its None
        "wide": b"}(" + b"N" * 5000 + b"tNs",
        "keyed": b"})\x85Ns",
        "doubled name": b"(X\x07\x00\x00\x00storage" + doubled(60) + b"NNNtQ",
        "odd storage": b"(NNNNNtQ",
        "set": b"\x8f",
        "empty": b"a",
    }
    for name, one in built.items():
        whole_one = b"\x80\x02" + one + b"."
        rezipped(
            good,
            tmp_path / f"{name}.pt",
            lambda name, data: whole_one if name.endswith(".pkl") else data,  # noqa: B023
        )
    cases |= dict.fromkeys(built, "is built as no weights are")
    cases |= {"odd storage": "is no storage", "keyed": "a key of a dictionary is a tuple"}
    case("double", whole, "two entries of one name")
    with zipfile.ZipFile(tmp_path / "double.pt", "a") as archive:  # torch does not tell them apart
        archive.writestr(archive.namelist()[0].replace("data.pkl", "DATA.pkl"), b"other")
    for name, why in cases.items():
        code = take(tmp_path / f"{name}.pt", tmp_path / "run", "--tokenizer", "none", "--heads", "2")
        said = capsys.readouterr().err
        assert (name, code) == (name, 3), said
        assert why in said, (name, said)
    assert not (tmp_path / "run").exists()
    import os

    assert os.environ["PHOTINUS_EVIL"] == "0"
    torch.load(tmp_path / "evil.pt", weights_only=False)  # the control: it would have been run
    assert os.environ["PHOTINUS_EVIL"] == "1"
