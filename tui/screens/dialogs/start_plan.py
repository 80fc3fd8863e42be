"""What a start form shows of a configuration: what is wrong with it, what a key means, what will run."""

import shlex
from collections.abc import Mapping

from rich.text import Text

from trainer.config.config_error import ConfigError
from trainer.config.form import FormField
from trainer.config.resolve import Resolved, resolve
from tui.theme import DIM, FAINT, PLAIN, STRONG, hue
from tui.widgets.lines import line


def faults(preset: str, overrides: list[str]) -> list[str]:
    """What is wrong with each override by itself, all at once."""
    found: list[str] = []
    for word in overrides:
        try:
            resolve(preset, overrides=[word])
        except ConfigError as error:
            found.append(f"{word}: {error}")
    return found


def words(typed: str) -> list[str]:
    """The overrides as a shell would cut them; while a quote is still open, at spaces."""
    try:
        return shlex.split(typed)
    except ValueError:
        return typed.split()


def help_of(field: FormField) -> str:
    """One field in a sentence."""
    bounds = [
        f"{name} {bound:g}"
        for name, bound in (("from", field.minimum), ("to", field.maximum))
        if bound is not None
    ]
    choices = f" ({' | '.join(field.choices)})" if field.choices else ""
    limits = f" ({', '.join(bounds)})" if bounds else ""
    return f"{field.key}: {field.help or field.kind}{choices}{limits}"


def plan(resolved: Resolved) -> Text:
    """Every value that will run; what was set by hand stands out, what nobody set recedes."""
    rows = [Text("What will run", style=STRONG), Text("")]
    flat = _flat(resolved.values())
    width = max(len(key) for key in flat) + 2
    for key, value in flat.items():
        origin = resolved.origins.get(key, "default")
        by_hand, preset = origin.startswith("--"), origin.startswith("preset")
        style = hue("amber", bold=True) if by_hand else PLAIN if preset else FAINT
        shown = origin if by_hand else ""
        rows.append(
            line(
                (f"{key:<{width}}", DIM if preset or by_hand else FAINT),
                (str(value), style),
                (f"  {shown}" if shown else "", DIM),
            )
        )
    return Text("\n").join(rows)


def _flat(values: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found
