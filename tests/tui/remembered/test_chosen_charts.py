"""The file of chosen charts: read again, cleaned, bounded, and alone in what its damage costs."""

import json
from pathlib import Path

import pytest

from tui.remembered.chosen_charts import FILE_MAX, KINDS_MAX, NAMES_MAX, ChosenCharts, load
from tui.store.metrics.grid_choice import AS_IT_COMES, GridChoice


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PHOTINUS_HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "client").mkdir(parents=True, mode=0o700)
    return tmp_path / "home" / "client" / "charts.json"


def test_a_choice_is_there_again_for_its_kind_alone(home: Path) -> None:
    chosen = GridChoice(("loss", "lr"), 3, "tokens", 2, alone=True)
    ChosenCharts().put("HF Trainer", chosen)
    again = ChosenCharts()
    assert (again.of("HF Trainer"), again.of("Keras"), again.trouble) == (chosen, AS_IT_COMES, "")
    assert home.stat().st_mode & 0o077 == 0
    again.put("HF Trainer", AS_IT_COMES)
    assert ChosenCharts().of("HF Trainer") == AS_IT_COMES


def test_a_file_of_the_version_that_knew_names_alone_is_read(home: Path) -> None:
    home.write_text(json.dumps({"version": 1, "charts": {"Keras": ["loss", "lr"]}}))
    assert ChosenCharts().of("Keras") == GridChoice(("loss", "lr"))


def test_two_cockpits_do_not_forget_for_each_other(home: Path) -> None:
    one, other = ChosenCharts(), ChosenCharts()
    one.put("Keras", GridChoice(("loss",)))
    other.put("mlx-lm", GridChoice(("lr",)))
    assert (ChosenCharts().of("Keras").names, ChosenCharts().of("mlx-lm").names) == (("loss",), ("lr",))


@pytest.mark.parametrize(
    "damage",
    [
        b"", b"{", b"\xff\xfe", b"[]", b'"x"', b'{"version": 3, "charts": {}}',
        b'{"version": 1, "charts": []}', b"[" * 5000, b" " * (FILE_MAX + 1),
    ],
)  # fmt: skip
def test_a_damaged_file_costs_itself_and_is_told(home: Path, damage: bytes) -> None:
    home.write_bytes(damage)
    charts = ChosenCharts()
    assert charts.of("Keras") == AS_IT_COMES
    assert "left out" in charts.trouble
    charts.put("Keras", GridChoice(("loss",)))
    assert (charts.trouble, ChosenCharts().of("Keras").names) == ("", ("loss",))


def test_a_bad_entry_costs_itself(home: Path) -> None:
    bad = {"names": ["a"], "columns": 99, "along": "sideways", "smoothing": "x", "alone": "yes"}
    told = {"Keras": ["loss", 7, None], "x": "loss", "y": {}, "z": [3], "mlx-lm": bad}
    home.write_text(json.dumps({"version": 2, "charts": told}))
    charts = ChosenCharts()
    assert [charts.of(kind) for kind in ("x", "y", "z")] == [AS_IT_COMES] * 3
    assert charts.of("Keras") == GridChoice(("loss",))
    assert charts.of("mlx-lm") == GridChoice(("a",))


def test_what_is_kept_is_bounded_and_steers_no_terminal(home: Path) -> None:
    many = {f"kind {number}": ["loss"] for number in range(KINDS_MAX + 20)}
    home.write_text(json.dumps({"version": 1, "charts": many}))
    ChosenCharts().put("\x1b]0;x\x07kind" * 99, GridChoice(("\x1b[2Jm" * 99,) * 99))
    told = json.loads(home.read_text())["charts"]
    assert len(told) == KINDS_MAX
    assert f"kind {KINDS_MAX + 19}" in told
    home.write_text(json.dumps({"version": 1, "charts": {"\x1b[31mred": ["a\x9b2J"] * 99}}))
    (kind,) = (name for name in load(home)[0])
    assert "\x1b" not in kind
    assert len(ChosenCharts().of(kind).names) == NAMES_MAX
    assert "\x9b" not in "".join(ChosenCharts().of(kind).names)


def test_a_folder_that_cannot_be_written_is_told_and_the_choice_lasts_for_now(home: Path) -> None:
    home.parent.rmdir()
    home.parent.write_text("a file where the folder should be")
    charts = ChosenCharts()
    charts.put("Keras", GridChoice(("loss",)))
    assert charts.of("Keras").names == ("loss",)
    assert "could not be written" in charts.trouble
