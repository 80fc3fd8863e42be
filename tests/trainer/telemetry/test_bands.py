from math import inf, nan
from pathlib import Path

import pytest

from trainer.config.locate import configs_dir
from trainer.telemetry.bands import Bands, BandsError, load, parse
from trainer.telemetry.judge import judge
from trainer.telemetry.zones import ZoneCounter

SHIPPED = configs_dir() / "health" / "kssm.yaml"
TEXT_WITH_BOUND = """
version: 1
name: own
metrics:
  - metric: mine
    bands:
      - {{below: {bound}, glyph: "▽", word: low, colour: amber, severity: warn}}
      - {{glyph: "●", word: fine, colour: green, severity: ok}}
"""
FLOORS = {"unigram": 3.0, "bigram": 2.4, "trigram": 2.0}


@pytest.fixture(scope="module")
def bands() -> Bands:
    return load(SHIPPED)


@pytest.mark.parametrize(
    ("value", "word", "severity"),
    [
        (-0.01, "violated", "bad"),
        (0.0, "clamped low", "bad"),
        (0.11, "clamped low", "bad"),
        (0.1101, "low", "warn"),
        (0.5, "healthy", "ok"),
        (2.0, "strong", "ok"),
        (5.0, "high", "warn"),
        (9.9, "clamped high", "bad"),
        (1e9, "clamped high", "bad"),
    ],
)
def test_u_val_bands_at_their_borders(bands: Bands, value: float, word: str, severity: str) -> None:
    verdict = judge(bands, "u_val", value, {})
    assert (verdict.word, verdict.severity) == (word, severity)


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (0.0, "Unformed"),
        (0.1, "Intimacy"),
        (0.3, "Balance"),
        (0.5, "Mystery"),
        (0.7, "Wonder"),
        (0.85, "Passion"),
        (0.95, "Ache"),
    ],
)
def test_zones_of_r_at_their_borders(bands: Bands, value: float, word: str) -> None:
    assert judge(bands, "R", value, {}).word == word


@pytest.mark.parametrize(
    ("value", "word"),
    [(0.0, "vanishing"), (0.01, "low"), (1, "healthy"), (50, "elevated"), (200, "exploding")],
)
def test_gradient_norm_bands_at_their_borders(bands: Bands, value: float, word: str) -> None:
    assert judge(bands, "grad_norm", value, {}).word == word


def test_more_than_half_at_the_ends_is_amber_whatever_the_middle_says(bands: Bands) -> None:
    verdict = judge(bands, "u_val", 1.0, {"u_low": 0.5, "u_high": 0.01, "u_stat": "median"})
    assert (verdict.severity, verdict.word) == ("warn", "at the ends")
    assert "50 % of positions at the low end" in verdict.why


def test_exactly_half_at_the_ends_is_not_amber(bands: Bands) -> None:
    verdict = judge(bands, "u_val", 1.0, {"u_low": 0.25, "u_high": 0.25, "u_stat": "mean"})
    assert verdict.severity == "ok"
    assert "(mean)" in verdict.why
    assert "25 % at the high end" in verdict.why


def test_shares_at_the_ends_do_not_soften_a_red_lamp(bands: Bands) -> None:
    assert judge(bands, "u_val", 0.05, {"u_low": 0.9, "u_high": 0.0}).severity == "bad"


@pytest.mark.parametrize(
    ("ce", "word"),
    [
        (22.3, "diverged"),
        (8.0, "diverged"),
        (7.9, "above unigram"),
        (2.7, "above bigram"),
        (2.2, "below bigram"),
        (1.4, "below trigram"),
    ],
)
def test_loss_is_judged_beside_the_floors(bands: Bands, ce: float, word: str) -> None:
    verdict = judge(bands, "ce", ce, FLOORS)
    assert verdict.word == word
    assert "bigram 2.40" in verdict.why


def test_loss_without_floors_is_not_judged(bands: Bands) -> None:
    assert judge(bands, "ce", 2.0, {}).severity == "unknown"


def test_penalty_is_judged_relative_to_the_loss_and_may_be_negative(bands: Bands) -> None:
    assert judge(bands, "reg", -0.3, {"ce": 2.0}).severity == "ok"
    assert judge(bands, "reg", 0.1, {"ce": 2.0}).severity == "ok"
    assert judge(bands, "reg", 1.5, {"ce": 2.0}).severity == "bad"
    assert judge(bands, "reg", 1.5, {}).severity == "unknown"


def test_a_stall_is_what_the_pace_says_or_three_minutes(bands: Bands) -> None:
    assert judge(bands, "idle_s", 179, {}).severity == "ok"
    assert judge(bands, "idle_s", 180, {}).word == "stalled"
    assert judge(bands, "idle_s", 599, {"stall_s": 600.0}).severity == "ok"
    assert judge(bands, "idle_s", 600, {"stall_s": 600.0}).word == "stalled"
    assert judge(bands, "idle_s", 5, {"stall_s": 1.0}).word == "stalled"
    assert judge(bands, "idle_s", 4.9, {"stall_s": 1.0}).severity == "ok"


def test_what_is_unknown_is_never_zero(bands: Bands) -> None:
    verdict = judge(bands, "memory_used", None, {})
    assert (verdict.word, verdict.severity, verdict.value) == ("n/a", "unknown", None)


@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_what_is_not_finite_is_red(bands: Bands, value: float) -> None:
    verdict = judge(bands, "grad_norm", value, {})
    assert (verdict.word, verdict.severity) == ("not finite", "bad")


def test_a_metric_without_bands_is_unknown(bands: Bands) -> None:
    assert judge(bands, "humidity", 3.0, {}).severity == "unknown"


def test_every_band_says_itself_without_colour(bands: Bands) -> None:
    for entry in bands.metrics.values():
        said = [(band.glyph, band.word) for band in entry.bands]
        assert len(set(said)) == len(said), entry.metric
        harmless = {band.glyph for band in entry.bands if band.severity in ("ok", "info")}
        grave = {band.glyph for band in entry.bands if band.severity == "bad"}
        assert not harmless & grave, f"{entry.metric}: only the hue tells good from bad"


GOOD = """
version: 1
name: mine
metrics:
  - metric: speed
    bands:
      - {below: 10, glyph: "v", word: slow, colour: amber, severity: warn}
      - {glyph: "o", word: fast, colour: green, severity: ok}
"""


def test_anyone_can_define_bands_of_their_own() -> None:
    assert judge(parse(GOOD), "speed", 12.0, {}).word == "fast"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('glyph: "v"', 'gliph: "v"', "gliph"),
        ("colour: amber", "colour: pink", "pink"),
        ("severity: warn", "severity: awful", "awful"),
        ('below: 10, glyph: "v"', 'glyph: "v"', "only the last band"),
        ('{glyph: "o"', '{below: 5, glyph: "o"', "last band"),
        ("below: 10", "below: 10, upto: 11", "not both"),
        ("version: 1", "version: 2", "version"),
        ("metrics:", "metrics: [", "not YAML"),
    ],
)
def test_a_wrong_health_file_is_refused_with_the_fault_named(old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(BandsError, match=said):
        parse(GOOD.replace(old, new), "mine.yaml")


def test_bounds_must_ascend_and_metrics_stand_once() -> None:
    two = GOOD.replace(
        "      - {below: 10",
        '      - {below: 20, glyph: "w", word: w, colour: red, severity: bad}\n      - {below: 10',
    )
    with pytest.raises(BandsError, match="ascend"):
        parse(two)
    with pytest.raises(BandsError, match="twice"):
        parse(GOOD + GOOD[GOOD.index("  - metric") :])


def test_a_missing_file_says_which(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"none\.yaml"):
        load(tmp_path / "none.yaml")


def test_a_visit_needs_three_rows(bands: Bands) -> None:
    zones, entry = ZoneCounter(), bands.metrics["R"]
    for value in (0.05, 0.05, 0.2, 0.05, 0.05, 0.05):
        zones.add(entry, value)
    assert zones.visits == {"Unformed": 1}
    for value in (0.2, 0.2, 0.2, 0.2, 0.05, 0.2, 0.2, 0.2):
        zones.add(entry, value)
    assert zones.visits == {"Unformed": 1, "Intimacy": 1}
    assert zones.visited == 2


def test_a_bound_that_nothing_tells_is_refused_and_the_nearest_name_told() -> None:
    text = TEXT_WITH_BOUND.format(bound="bigran")
    with pytest.raises(BandsError, match=r"metric 'mine': nothing is called 'bigran'; did you mean 'bigram'"):
        parse(text)
    assert "mine" in parse(TEXT_WITH_BOUND.format(bound="bigram"))


def test_a_metric_of_a_later_file_replaces_the_earlier_one(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text(TEXT_WITH_BOUND.format(bound="bigram"))
    second.write_text(TEXT_WITH_BOUND.format(bound="trigram"))
    assert load(first, second).metrics["mine"].bands[0].below == "trigram"
    assert load(second, first).metrics["mine"].bands[0].below == "bigram"
