"""A few hundred bytes of YAML cost no minute, no gigabyte and no traceback, whoever reads them."""

import contextlib
from pathlib import Path

import pytest

from remote.hosts.hosts_file import parse_hosts
from trainer.config.config_error import ConfigError
from trainer.config.yaml_values import DEPTH_MAX, TEXT_MAX, load_mapping, parse_yaml
from trainer.telemetry.bands import BandsError
from trainer.telemetry.bands import parse as parse_bands

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)
DEEP = "a: " + "[" * 3000 + "]" * 3000 + "\n"
SELF = "a: &a [*a]\n"
HOSTILE = {"bomb": BOMB, "deep": DEEP, "self": SELF, "long": "a: " + "x" * (TEXT_MAX + 1)}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_every_reader_refuses_it_in_a_sentence(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "--set x")
    assert len(str(caught.value)) < 600
    with pytest.raises(ConfigError) as caught:
        parse_hosts(text, "hosts.yaml")
    assert len(str(caught.value)) < 600
    (tmp_path / "preset.yaml").write_text(text)
    with pytest.raises(ConfigError):
        load_mapping(tmp_path / "preset.yaml")
    with pytest.raises(BandsError):
        parse_bands(text)


def test_the_control_aliases_depth_and_length_that_people_write() -> None:
    assert parse_yaml("a: &usual {x: 1}\nb: *usual\n", "h") == {"a": {"x": 1}, "b": {"x": 1}}
    deep = DEPTH_MAX - 2
    assert parse_yaml("a: " + "[" * deep + "]" * deep, "h") is not None
    assert len(parse_yaml("a: " + "x" * (TEXT_MAX - 100), "h")["a"]) == TEXT_MAX - 100


@pytest.mark.parametrize("end", ["x", "e", "ex", ""])
@pytest.mark.parametrize("unit", ["1_", "1", "_1", "1.", "1:"])
def test_a_long_number_takes_linear_time(unit: str, end: str) -> None:
    """A quadratic expression takes longer over a text of this length than a test may."""
    with contextlib.suppress(ConfigError):
        parse_yaml("a: 1" + unit * ((TEXT_MAX - 9) // len(unit)) + end, "h")


def test_numbers_are_still_read_as_a_person_means_them() -> None:
    text = "[3e-3, 1_000e2, .5e1, 1.5e+3, 1.e4, 1e5x, 1__0]"
    assert parse_yaml(text, "h") == [0.003, 100000.0, 5.0, 1500.0, 10000.0, "1e5x", 10]
